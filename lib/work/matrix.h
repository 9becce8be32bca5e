/* SPDX-License-Identifier: GPL-2.0-only */
/* Matrix products over a chosen cache footprint: the think time of request-shaped work. */
#ifndef KTSTR_WORK_MATRIX_H
#define KTSTR_WORK_MATRIX_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* Rows of each of three square matrices of 64-bit numbers that together fill footprint_kib. */
static inline size_t work_matrix_dim(double footprint_kib)
{
	return (size_t)sqrt(footprint_kib * 1024 / (3 * sizeof(uint64_t)));
}

static inline size_t work_matrix_bytes(size_t dim)
{
	return 3 * dim * dim * sizeof(uint64_t);
}

/* One product; cells = A, B and C behind each other. C is stored at every step: what schbench compiles to. */
static inline void work_matrix_product(uint64_t *cells, size_t dim)
{
	const uint64_t *a = cells, *b = cells + dim * dim;
	volatile uint64_t *c = cells + 2 * dim * dim;

	for (size_t i = 0; i < dim; i++) {
		for (size_t j = 0; j < dim; j++) {
			uint64_t sum = 0;

			for (size_t k = 0; k < dim; k++) {
				sum += a[i * dim + k] * b[k * dim + j];
				c[i * dim + j] = sum;
			}
		}
	}
}

/* The same on matrices that several threads use: C is read and written at every step, so its cache lines travel. */
static inline void work_matrix_product_shared(uint64_t *cells, size_t dim)
{
	const uint64_t *a = cells, *b = cells + dim * dim;
	volatile uint64_t *c = cells + 2 * dim * dim;

	for (size_t i = 0; i < dim; i++)
		for (size_t j = 0; j < dim; j++)
			for (size_t k = 0; k < dim; k++)
				c[i * dim + j] += a[i * dim + k] * b[k * dim + j];
}

#endif
