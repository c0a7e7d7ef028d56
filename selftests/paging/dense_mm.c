// SPDX-License-Identifier: GPL-2.0-only
/*
 * dense_mm N: multiply two N x N matrices of doubles in memory of /dev/paging.
 *
 * Three mappings of one file hold A, B and C; C += A * B.  Every page of
 * them is used, first written and then read in order, over and over: the
 * pattern that pre-paging suits best.
 *
 * Nothing is unmapped or closed: that is left to the exit of the process.
 */
#include <stdlib.h>

#include "workload.h"

#define MAX_N 65536

struct matrices {
	unsigned long n;
	double *a, *b, *c;
};

/* Small integers: all sums are exact, so the check below can be, too. */
static void fill(struct matrices *m)
{
	for (unsigned long i = 0; i < m->n; i++)
		for (unsigned long j = 0; j < m->n; j++) {
			m->a[i * m->n + j] = (double)((i + 2 * j) % 7);
			m->b[i * m->n + j] = (double)((3 * i + j) % 5);
		}
}

/*
 * Row by row.  With the textbook's order of the loops B is read by columns,
 * and then the time tells of the TLB (or of the emulator's) before all else.
 */
static void multiply(struct matrices *m)
{
	unsigned long n = m->n;

	for (unsigned long i = 0; i < n; i++)
		for (unsigned long k = 0; k < n; k++) {
			const double *b = m->b + k * n;
			double *c = m->c + i * n;
			double a = m->a[i * n + k];

			for (unsigned long j = 0; j < n; j++)
				c[j] += a * b[j];
		}
}

static double row_times(const double *row, const double *x, unsigned long n)
{
	double sum = 0;

	for (unsigned long j = 0; j < n; j++)
		sum += row[j] * x[j];
	return sum;
}

/* (A B) x == A (B x) for a random x finds a wrong element of C in N^2 steps. */
static void check_product(struct matrices *m)
{
	unsigned long n = m->n;
	double *x = calloc(2 * n, sizeof(*x)), *bx = x + n;
	uint64_t state = n;

	if (!x)
		workload_wrong("no memory to check it");
	for (unsigned long i = 0; i < n; i++)
		x[i] = (double)(workload_random(&state) % 3 + 1);
	for (unsigned long i = 0; i < n; i++)
		bx[i] = row_times(m->b + i * n, x, n);
	for (unsigned long i = 0; i < n; i++)
		if (row_times(m->c + i * n, x, n) !=
		    row_times(m->a + i * n, bx, n))
			workload_wrong("C is not A * B");
	free(x);
}

int main(int argc, char **argv)
{
	struct matrices m;
	struct workload w;
	size_t len;

	m.n = workload_init(&w, argc, argv, "rows of a matrix", MAX_N);
	len = sizeof(double) * m.n * m.n;
	m.a = workload_map(&w, len);
	m.b = workload_map(&w, len);
	m.c = workload_map(&w, len);

	workload_start(&w);
	fill(&m);
	multiply(&m);
	workload_stop(&w);

	if (w.check)
		check_product(&m);
	workload_report(&w, m.n, "multiplication", "Multiplication done");
	return 0;
}
