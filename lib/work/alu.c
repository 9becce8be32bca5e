// SPDX-License-Identifier: GPL-2.0-only
/* Work types that only compute, with equal iterations whose cost is sampled: what the CPU gives, not what the scheduler does. */
#include <stdlib.h>

#include "base/clock.h"
#include "work/alu.h"

enum { STEPS = 1024, COLD_BYTES = 512 * 1024 };

/* Four chains that do not depend on each other, each step of a chain on the one before. */
#define CHAINS(NAME, TARGET, BYTES)                                                                \
	TARGET static void NAME(void)                                                              \
	{                                                                                          \
		typedef uint32_t vector __attribute__((vector_size(BYTES)));                       \
		vector a = (vector){ 0 } + 3u, b = a + 2u, c = b + 2u, d = c + 2u;                 \
                                                                                                   \
		for (int step = 0; step < STEPS; step++) {                                         \
			a = a * 0x9e3779b1u + 1u;                                                  \
			b = b * 0x85ebca77u + 1u;                                                  \
			c = c * 0xc2b2ae3du + 1u;                                                  \
			d = d * 0x27d4eb2fu + 1u;                                                  \
		}                                                                                  \
		vector sum = a + b + c + d;                                                        \
		__asm__ volatile("" : : "m"(sum));                                                 \
	}

static void chains_scalar(void)
{
	uint64_t a = 3, b = 5, c = 7, d = 9;

	for (int step = 0; step < STEPS; step++) {
		a = a * 0x9e3779b97f4a7c15u + 1;
		b = b * 0xbf58476d1ce4e5b9u + 1;
		c = c * 0x94d049bb133111ebu + 1;
		d = d * 0xd6e8feb86659fd93u + 1;
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
	}
}

CHAINS(chains_128, , 16)
#if defined(__x86_64__)
CHAINS(chains_256, __attribute__((target("avx2"))), 32)
CHAINS(chains_512, __attribute__((target("avx512f"))), 64)
#endif

static const struct width_row {
	const char *name;
	void (*chains)(void); /* NULL = no code for it on this machine's kind */
} widths[] = {
	[KTSTR_ALU_WIDEST] = { "widest", NULL },      [KTSTR_ALU_SCALAR] = { "scalar", chains_scalar },
	[KTSTR_ALU_VEC128] = { "vec128", chains_128 },
#if defined(__x86_64__)
	[KTSTR_ALU_VEC256] = { "vec256", chains_256 }, [KTSTR_ALU_VEC512] = { "vec512", chains_512 },
#else
	[KTSTR_ALU_VEC256] = { "vec256", NULL },      [KTSTR_ALU_VEC512] = { "vec512", NULL },
#endif
	[KTSTR_ALU_AMX] = { "amx", NULL },
};

const char *const work_alu_width_names[] = { "widest", "scalar", "vec128", "vec256", "vec512", "amx", NULL };

static bool cpu_has(enum ktstr_alu_width width)
{
	if (!widths[width].chains)
		return false;
#if defined(__x86_64__)
	if (width == KTSTR_ALU_VEC256)
		return __builtin_cpu_supports("avx2");
	if (width == KTSTR_ALU_VEC512)
		return __builtin_cpu_supports("avx512f");
#endif
	return true;
}

/* The widest of what is at hand up to the one asked for; AMX has tiles, not lanes, and counts as the widest. */
static enum ktstr_alu_width resolve(enum ktstr_alu_width asked)
{
	enum ktstr_alu_width width = asked == KTSTR_ALU_WIDEST ? KTSTR_ALU_VEC512 : asked;

	while (width > KTSTR_ALU_SCALAR && !cpu_has(width))
		width--;
	return width;
}

void work_alu_begin(struct worker *w, enum ktstr_alu_width asked)
{
	enum ktstr_alu_width width = resolve(asked);

	w->shared->report.alu_width = width;
	if (asked != KTSTR_ALU_WIDEST && asked != width)
		work_warn_once(w, WORK_WARN_VECTOR, "%s: this CPU has no %s arithmetic for it, %s is used",
			       ktstr_work_type_name(w->type->kind), widths[asked].name, widths[width].name);
}

void work_alu_round(struct worker *w)
{
	uint64_t since = ktstr_now_ns();

	widths[w->shared->report.alu_width].chains();
	work_record(w, WORK_COST, ktstr_now_ns() - since);
	w->work_units += STEPS;
}

/* AluHot: pure arithmetic: frequency, SMT and steal show in its cost; vector code draws the licence of wide units. */
static void run_alu_hot(struct worker *w)
{
	work_alu_begin(w, w->type->ALU_HOT.width);
	while (!work_should_stop(w)) {
		work_alu_round(w);
		work_checkpoint(w);
		work_iteration_done(w);
	}
}

static const struct work_param alu_hot_params[] = { WORK_ENUM(alu_hot, width, work_alu_width_names) };

const struct work_type_ops work_alu_hot_ops = {
	.name = "AluHot",
	.pressure = "pure arithmetic: what the CPU gives (frequency, SMT, steal)",
	.unit = "a step of four multiply chains",
	WORK_PARAMS(alu_hot_params),
	.run = run_alu_hot,
};

/* SmtSiblingSpin: pairs of spinners whose cost tells whether they share a core: use it with the SMT sibling affinity. */
static void run_smt_sibling_spin(struct worker *w)
{
	while (!work_should_stop(w)) {
		uint64_t since = ktstr_now_ns();

		work_spin(w, 1024);
		if (!work_should_stop(w))
			work_record(w, WORK_COST, ktstr_now_ns() - since);
		work_checkpoint(w);
		work_iteration_done(w);
	}
}

const struct work_type_ops work_smt_sibling_spin_ops = {
	.name = "SmtSiblingSpin",
	.pressure = "two that may share a core (core scheduling, SMT placement)",
	.unit = "32 multiply-adds and a pause",
	.group_size = work_group_of_two,
	.run = run_smt_sibling_spin,
};

/* One period: hot arithmetic, then cold memory. False when the stop cut it short. */
static bool ipc_period(struct worker *w, uint64_t *cold)
{
	const struct ktstr_work_ipc_variance *type = &w->type->IPC_VARIANCE;
	uint64_t x = 1;

	for (uint64_t round = 0; round < type->period_iters; round++) {
		for (uint64_t i = 0; i < type->hot_iters; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			__asm__ volatile("" : "+r"(x));
		}
		for (uint64_t i = 0; i < type->cold_iters; i++) {
			volatile uint64_t *cell = &cold[work_random(w) % (COLD_BYTES / sizeof(*cold))];

			*cell = *cell + 1;
		}
		w->work_units += type->hot_iters + type->cold_iters;
		work_checkpoint_now(w);
		if (work_should_stop(w))
			return false;
	}
	return true;
}

/* IpcVariance: phases of high and low instructions per cycle: schedulers that believe in IPC or utilisation alone err. */
static void run_ipc_variance(struct worker *w)
{
	uint64_t *cold = calloc(1, COLD_BYTES);

	while (cold && !work_should_stop(w)) {
		uint64_t since = ktstr_now_ns();

		if (!ipc_period(w, cold))
			break;
		work_record(w, WORK_COST, ktstr_now_ns() - since);
		work_iteration_done(w);
	}
	free(cold);
}

#define IPC_ERROR .error_below = KTSTR_WORK_TYPE_ZERO_IPC_VARIANCE_PARAM

static const struct work_param ipc_variance_params[] = {
	WORK_NUMBER(ipc_variance, hot_iters, 100000, 1, 0, IPC_ERROR),
	WORK_NUMBER(ipc_variance, cold_iters, 1024, 1, 0, IPC_ERROR),
	WORK_NUMBER(ipc_variance, period_iters, 64, 1, 0, IPC_ERROR),
};

const struct work_type_ops work_ipc_variance_ops = {
	.name = "IpcVariance",
	.pressure = "phases of high and low instructions per cycle",
	.unit = "a multiply step or a random memory update",
	WORK_PARAMS(ipc_variance_params),
	.run = run_ipc_variance,
};
