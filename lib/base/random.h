/* SPDX-License-Identifier: GPL-2.0-only */
/* SplitMix64 (Steele, Lea, Flood 2014): repeatable streams; any seed is a good one. */
#ifndef KTSTR_BASE_RANDOM_H
#define KTSTR_BASE_RANDOM_H

#include <stdint.h>

struct ktstr_random {
	uint64_t state;
};

static inline struct ktstr_random ktstr_random_seeded(uint64_t seed)
{
	return (struct ktstr_random){ seed };
}

static inline uint64_t ktstr_random_next(struct ktstr_random *random)
{
	uint64_t z = (random->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

#endif
