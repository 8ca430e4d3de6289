/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that compute while the load is on and sleep while it is off. All of
 * them know the whole pattern and keep to its absolute times, so they need not
 * speak to each other, and nothing but them burns power at an edge. What each
 * of them really did is stamped by itself; power grows with the number of
 * threads that run, so the mean of their begins is the begin of the span.
 */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/statistics.h"
#include "workload/load.h"

#define THREADS_MAX 1024

/* From the parent's word to the pattern's start. */
#define START_NS (30 * JM_NS_PER_MS)
/* How often the spans that all threads have ended are written down. */
#define EMIT_NS (20 * JM_NS_PER_MS)

/* A core draws power for about this long before its thread can stamp a begin. */
#define WAKE_MS 0.01

struct stamp {
	int64_t begin_ns;
	int64_t end_ns;
};

struct cpu;

struct worker {
	struct cpu *cpu;
	pthread_t thread;
	int started;
	int processor;        /* -1: any */
	struct stamp *stamps; /* [n_spans], owned */
	_Atomic size_t n_done;
};

struct cpu {
	struct jm_load *load;
	struct worker *workers; /* [n_workers], owned */
	size_t n_workers;
	_Atomic int64_t start_ns; /* 0: not yet */
	pthread_mutex_t lock;
	pthread_cond_t begin;
	int go;            /* 1: begin, -1: end */
	double *spread_ns; /* [n_spans], owned: of begins around their mean */
	size_t n_spread;
};

/* ---- Burning ---------------------------------------------------------------- */

enum { CHAINS = 16, STEPS = 128 };

/* Multiplications and additions in registers, for some tenths of a us. */
static void burn(double chains[CHAINS])
{
	for (int i = 0; i < STEPS; i++)
		for (int c = 0; c < CHAINS; c++)
			chains[c] = chains[c] * 0.999999 + 1e-6;
}

static int64_t burn_until(const struct jm_load *load, int64_t end_ns, double chains[CHAINS])
{
	int64_t now_ns = jm_clock_monotonic_ns(NULL);

	while (now_ns < end_ns && !jm_load_stopped(load)) {
		burn(chains);
		now_ns = jm_clock_monotonic_ns(NULL);
	}
	return now_ns;
}

static void run_spans(struct worker *worker, int64_t start_ns)
{
	const struct jm_load *load = worker->cpu->load;
	double chains[CHAINS];
	volatile double sink = 0.0;

	for (int c = 0; c < CHAINS; c++)
		chains[c] = 1.0 + c;
	for (size_t i = 0; i < load->config->n_spans && !jm_load_stopped(load); i++) {
		const struct jm_load_span *span = &load->config->spans[i];
		struct stamp *stamp = &worker->stamps[i];

		jm_clock_sleep_until(start_ns + span->begin_ns);
		stamp->begin_ns = jm_clock_monotonic_ns(NULL);
		if (stamp->begin_ns > start_ns + span->end_ns) /* it came too late */
			stamp->begin_ns = stamp->end_ns = start_ns + span->end_ns;
		else
			stamp->end_ns = burn_until(load, start_ns + span->end_ns, chains);
		atomic_store_explicit(&worker->n_done, i + 1, memory_order_release);
	}
	for (int c = 0; c < CHAINS; c++)
		sink = sink + chains[c];
}

static void *work(void *context)
{
	struct worker *worker = context;
	struct cpu *cpu = worker->cpu;
	cpu_set_t set;
	int go;

	prctl(PR_SET_TIMERSLACK, 1UL); /* wake on time, not up to 50 us later */
	CPU_ZERO(&set);
	if (worker->processor >= 0) {
		CPU_SET((size_t)worker->processor, &set);
		sched_setaffinity(0, sizeof(set), &set); /* else: where there is room */
	}
	pthread_mutex_lock(&cpu->lock);
	while (!cpu->go)
		pthread_cond_wait(&cpu->begin, &cpu->lock);
	go = cpu->go;
	pthread_mutex_unlock(&cpu->lock);
	if (go > 0)
		run_spans(worker, atomic_load(&cpu->start_ns));
	return NULL;
}

/* ---- Threads ------------------------------------------------------------------ */

/* Processors that this process may use, in order; returns their number. */
static size_t processors(int *ret_list, size_t max)
{
	cpu_set_t allowed;
	size_t n = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return 0;
	for (size_t i = 0; i < CPU_SETSIZE && n < max; i++)
		if (CPU_ISSET(i, &allowed))
			ret_list[n++] = (int)i;
	return n;
}

static int start_threads(struct cpu *cpu, struct jm_error *reterr)
{
	int list[THREADS_MAX];
	size_t n = processors(list, THREADS_MAX), spans = cpu->load->config->n_spans;

	cpu->n_workers = (size_t)cpu->load->config->threads;
	if (!cpu->n_workers)
		cpu->n_workers = n > 1 ? n - 1 : 1;
	cpu->workers = calloc(cpu->n_workers, sizeof(*cpu->workers));
	if (!cpu->workers)
		return jm_fail_memory(reterr, "the load's threads");
	for (size_t i = 0; i < cpu->n_workers; i++) {
		struct worker *worker = &cpu->workers[i];
		int failure;

		worker->cpu = cpu;
		/* From the end: the first one often serves interrupts. */
		worker->processor = cpu->n_workers <= n ? list[n - 1 - i] : -1;
		worker->stamps = calloc(spans + 1, sizeof(*worker->stamps));
		if (!worker->stamps)
			return jm_fail_memory(reterr, "the load's stamps");
		failure = pthread_create(&worker->thread, NULL, work, worker);
		if (failure)
			return jm_fail_errno(
				reterr, failure, "cannot start thread %zu of the load", i + 1);
		worker->started = 1;
	}
	return 0;
}

static void set_go(struct cpu *cpu, int go)
{
	pthread_mutex_lock(&cpu->lock);
	if (!cpu->go)
		cpu->go = go;
	pthread_cond_broadcast(&cpu->begin);
	pthread_mutex_unlock(&cpu->lock);
}

static void join_threads(struct cpu *cpu)
{
	for (size_t i = 0; i < cpu->n_workers; i++)
		if (cpu->workers && cpu->workers[i].started) {
			pthread_join(cpu->workers[i].thread, NULL);
			cpu->workers[i].started = 0;
		}
}

static int cpu_open(struct jm_load *load, struct jm_error *reterr)
{
	struct cpu *cpu = calloc(1, sizeof(*cpu));
	int result;

	if (!cpu)
		return jm_fail_memory(reterr, "the load");
	load->state = cpu;
	cpu->load = load;
	cpu->spread_ns = calloc(load->config->n_spans + 1, sizeof(*cpu->spread_ns));
	pthread_mutex_init(&cpu->lock, NULL);
	pthread_cond_init(&cpu->begin, NULL);
	result = cpu->spread_ns ? start_threads(cpu, reterr)
				: jm_fail_memory(reterr, "the load's stamps");
	snprintf(load->text, sizeof(load->text), "cpu, %zu thread%s", cpu->n_workers,
		cpu->n_workers == 1 ? "" : "s");
	return result;
}

static void cpu_close(struct jm_load *load)
{
	struct cpu *cpu = load->state;

	if (!cpu)
		return;
	set_go(cpu, -1);
	join_threads(cpu);
	for (size_t i = 0; cpu->workers && i < cpu->n_workers; i++)
		free(cpu->workers[i].stamps);
	free(cpu->workers);
	free(cpu->spread_ns);
	pthread_cond_destroy(&cpu->begin);
	pthread_mutex_destroy(&cpu->lock);
	free(cpu);
	load->state = NULL;
}

/* ---- Spans ---------------------------------------------------------------------- */

/* The mean over the threads; a thread that came too late adds nothing. */
static struct stamp mean_span(struct cpu *cpu, size_t i)
{
	struct stamp first = cpu->workers[0].stamps[i];
	double n = (double)cpu->n_workers, begin = 0, end = 0, square = 0;

	for (size_t k = 0; k < cpu->n_workers; k++) {
		double b = (double)(cpu->workers[k].stamps[i].begin_ns - first.begin_ns);

		begin += b / n;
		square += b * b / n;
		end += (double)(cpu->workers[k].stamps[i].end_ns - first.begin_ns) / n;
	}
	cpu->spread_ns[cpu->n_spread++] = sqrt(fmax(square - begin * begin, 0.0));
	return (struct stamp){first.begin_ns + llround(begin), first.begin_ns + llround(end)};
}

static size_t all_done(const struct cpu *cpu)
{
	size_t least = SIZE_MAX;

	for (size_t k = 0; k < cpu->n_workers; k++) {
		size_t done =
			atomic_load_explicit(&cpu->workers[k].n_done, memory_order_acquire);

		least = done < least ? done : least;
	}
	return least;
}

static int emit(struct cpu *cpu, size_t *from, struct jm_error *reterr)
{
	size_t to = all_done(cpu);
	int result = 0;

	for (; *from < to && result == 0; (*from)++) {
		struct stamp span = mean_span(cpu, *from);

		result = jm_load_emit(cpu->load, span.begin_ns, span.end_ns, reterr);
	}
	jm_load_progress(cpu->load, *from);
	return result;
}

/* Spans in which a thread was kept waiting are the fit's to disregard. */
static double median_spread_ns(struct cpu *cpu)
{
	return cpu->n_spread ? jm_median_upper(cpu->spread_ns, cpu->n_spread) : 0.0;
}

static int cpu_run(struct jm_load *load, struct jm_error *reterr)
{
	struct cpu *cpu = load->state;
	int64_t next_ns = jm_clock_monotonic_ns(NULL) + START_NS;
	size_t emitted = 0;
	int result = 0;

	atomic_store(&cpu->start_ns, next_ns);
	set_go(cpu, 1);
	while (result == 0 && emitted < load->config->n_spans && !jm_load_stopped(load)) {
		next_ns += EMIT_NS;
		jm_clock_sleep_until(next_ns);
		result = emit(cpu, &emitted, reterr);
	}
	if (result < 0)
		jm_load_stop(load);
	join_threads(cpu);
	if (result == 0)
		result = emit(cpu, &emitted, reterr);
	load->edge_ms =
		hypot(WAKE_MS, 1e-6 * median_spread_ns(cpu) / sqrt((double)cpu->n_workers));
	return result;
}

const struct jm_load_ops jm_load_cpu = {"cpu", cpu_open, cpu_run, cpu_close};
