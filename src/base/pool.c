/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

enum { THREADS_MAX = 64 };

/* What jm_pool_run was asked for. */
struct job {
	jm_pool_task_fn *task;
	void *context;
	size_t n, next, done; /* of its tasks */
};

struct jm_pool {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t begin; /* there are tasks, or the end has come */
	pthread_cond_t end;   /* a task is done */
	struct job job;
	int over;
	unsigned n_threads; /* the caller not counted */
	pthread_t threads[THREADS_MAX];
};

unsigned jm_pool_processors(void)
{
	cpu_set_t set;
	int n;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	n = CPU_COUNT(&set);
	return n > 0 ? (unsigned)n : 1;
}

/* One task, if there is one left; the lock is held but for the task itself. */
static int do_one(struct jm_pool *pool)
{
	struct job *job = &pool->job;
	size_t task = job->next;

	if (task >= job->n)
		return 0;
	job->next++;
	pthread_mutex_unlock(&pool->lock);
	job->task(job->context, task);
	pthread_mutex_lock(&pool->lock);
	job->done++;
	pthread_cond_signal(&pool->end);
	return 1;
}

static void *work(void *context)
{
	struct jm_pool *pool = context;

	pthread_mutex_lock(&pool->lock);
	while (!pool->over)
		if (!do_one(pool))
			pthread_cond_wait(&pool->begin, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Signals are for threads that know what to do with them. */
static void start_threads(struct jm_pool *pool, unsigned n)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (pool->n_threads < n &&
		pthread_create(&pool->threads[pool->n_threads], NULL, work, pool) == 0)
		pool->n_threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct jm_pool *jm_pool_new(unsigned threads)
{
	struct jm_pool *pool = threads > 1 ? calloc(1, sizeof(*pool)) : NULL;

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->begin, NULL);
	pthread_cond_init(&pool->end, NULL);
	start_threads(pool, threads - 1 < THREADS_MAX ? threads - 1 : THREADS_MAX);
	return pool;
}

void jm_pool_free(struct jm_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->over = 1;
	pthread_cond_broadcast(&pool->begin);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->n_threads; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->begin);
	pthread_cond_destroy(&pool->end);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

unsigned jm_pool_threads(const struct jm_pool *pool)
{
	return pool ? pool->n_threads + 1 : 1;
}

static void run_alone(size_t n, jm_pool_task_fn *task, jm_pool_done_fn *done, void *context)
{
	for (size_t i = 0; i < n; i++) {
		task(context, i);
		if (done)
			done(context, i + 1);
	}
}

/* Tells of what has been done since; the lock is held but for that. */
static void tell(struct jm_pool *pool, jm_pool_done_fn *done, size_t *told)
{
	size_t now = pool->job.done;

	if (!done || now == *told)
		return;
	*told = now;
	pthread_mutex_unlock(&pool->lock);
	done(pool->job.context, now);
	pthread_mutex_lock(&pool->lock);
}

void jm_pool_run(struct jm_pool *pool, size_t n, jm_pool_task_fn *task, jm_pool_done_fn *done,
	void *context)
{
	size_t told = 0;

	if (!pool || !pool->n_threads || n < 2) {
		run_alone(n, task, done, context);
		return;
	}
	pthread_mutex_lock(&pool->lock);
	pool->job = (struct job){.task = task, .context = context, .n = n};
	pthread_cond_broadcast(&pool->begin);
	while (do_one(pool))
		tell(pool, done, &told);
	while (pool->job.done < n || (done && told < n)) {
		if (pool->job.done < n)
			pthread_cond_wait(&pool->end, &pool->lock);
		tell(pool, done, &told);
	}
	pool->job.n = 0;
	pthread_mutex_unlock(&pool->lock);
}
