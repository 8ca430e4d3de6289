/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is measured: three made-up layers of real work.
 *
 *     cc -O2 worker.c -o worker $(pkg-config --cflags --libs joulemap) -lm
 *     joulemap measure --runs 500 -- ./worker
 *
 * Started without joulemap it runs a hundred cycles and measures nothing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <joulemap/worker.h>

#define N_LAYERS 3
#define SIZE 96
#define FIELD 60000

static float a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];
static float field[FIELD];

static void multiply(void)
{
	for (int i = 0; i < SIZE; i++)
		for (int k = 0; k < SIZE; k++)
			for (int j = 0; j < SIZE; j++)
				c[i][j] += a[i][k] * b[k][j];
}

static void activate(void)
{
	for (int i = 0; i < FIELD; i++)
		field[i] = tanhf(field[i] + 0.5f);
}

static void move(void)
{
	for (int i = 0; i < 8; i++)
		memmove(field, field + 1, sizeof(field) - sizeof(field[0]));
}

static void (*const work[N_LAYERS])(void) = {multiply, activate, move};
static const struct jm_worker_layer layers[N_LAYERS] = {
	{"multiply", "MatMul"}, {"activate", "Tanh"}, {"move", "Copy"}};

/* One cycle; worker NULL: nobody measures. */
static int cycle(struct jm_worker *worker, struct jm_error *error)
{
	int result = worker ? jm_worker_cycle_begin(worker, error) : 0;

	for (uint32_t i = 0; i < N_LAYERS && result == 0; i++) {
		int64_t begin_ns = jm_worker_now_ns();

		work[i]();
		if (worker)
			result =
				jm_worker_layer(worker, i, begin_ns, jm_worker_now_ns(), error);
	}
	return worker && result == 0 ? jm_worker_cycle_end(worker, error) : result;
}

static int run(struct jm_worker *worker, struct jm_error *error)
{
	int result =
		jm_worker_describe(worker, "example", jm_version(), layers, N_LAYERS, error);

	for (int i = 0; i < 10 && result == 0; i++)
		result = cycle(worker, error); /* warms up */
	if (result == 0)
		result = jm_worker_ready(worker, error);
	while (result == 0 && !jm_worker_is_stopped(worker))
		result = cycle(worker, error);
	return result;
}

int main(void)
{
	struct jm_worker *worker;
	struct jm_error error;
	int result = jm_worker_attach(&worker, &error);

	if (result == JM_ENOTFOUND) {
		for (int i = 0; i < 100; i++)
			cycle(NULL, &error);
		printf("a hundred cycles, nothing measured: %s\n", error.message);
		return 0;
	}
	if (result == 0)
		result = run(worker, &error);
	if (result == 0)
		result = jm_worker_finish(worker, &error);
	else
		jm_worker_fail(worker, error.message);
	if (result < 0)
		fprintf(stderr, "worker: %s\n", error.message);
	return result < 0;
}
