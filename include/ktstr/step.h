/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plans: steps that follow each other, each with cgroups of its own, ops and a hold; and a backdrop of cgroups and payloads
 * that stays behind them all. Written as data:
 *
 *	KTSTR_PLAN(narrower,
 *		.backdrop = { KTSTR_DEFS({ .name = "a" }, { .name = "b" }) },
 *		KTSTR_STEPS({ .hold = ktstr_hold_frac(.5) },
 *			    { KTSTR_OPS(KTSTR_OP(SET_CPUSET, .cgroup = "a", .cpuset = ktstr_cpuset_llc(0))),
 *			      .hold = ktstr_hold_frac(.5) }));
 */
#ifndef KTSTR_STEP_H
#define KTSTR_STEP_H

#include <ktstr/op.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ktstr_ctx;

/* Definitions that a factory makes; ktstr_cgroup_defs_push() copies, the list owns its array. */
struct ktstr_cgroup_defs {
	struct ktstr_cgroup_def *items;
	size_t count;
};
void ktstr_cgroup_defs_push(struct ktstr_cgroup_defs *defs, struct ktstr_cgroup_def def);

/*
 * Cgroups that depend on where they run. Called when their turn comes, and before any VM boots with a context of the
 * declared topology, so that a declared plan can be checked; must not have effects of its own.
 */
typedef void (*ktstr_setup_fn)(const struct ktstr_ctx *ctx, struct ktstr_cgroup_defs *defs);

/* The cgroups that a step or a backdrop brings: a list, what a factory makes, or both in this order. */
struct ktstr_setup {
	const struct ktstr_cgroup_def *defs; /* KTSTR_DEFS(...) */
	size_t defs_count;
	ktstr_setup_fn factory;
};

/* In a step or a backdrop: { KTSTR_DEFS({ .name = "a" }, { .name = "b", .workers = 2 }) } */
#define KTSTR_DEFS(...)                                                                            \
	.setup = { .defs = (const struct ktstr_cgroup_def[]){ __VA_ARGS__ },                       \
		   .defs_count = sizeof((const struct ktstr_cgroup_def[]){ __VA_ARGS__ }) /        \
				 sizeof(struct ktstr_cgroup_def) }

/* How long a step lasts after its ops and its setup. */
enum ktstr_hold_kind {
	KTSTR_HOLD_FULL, /* the context's duration */
	KTSTR_HOLD_FRAC, /* duration * fraction; finite, > 0, may exceed 1 */
	KTSTR_HOLD_FIXED, /* ns; may be 0 */
	KTSTR_HOLD_LOOP, /* the ops at once and again every ns (> 0), until the duration since the scenario's start is over */
};

struct ktstr_hold {
	enum ktstr_hold_kind kind;
	double fraction;
	uint64_t ns;
};

#define ktstr_hold_full()   ((struct ktstr_hold){ .kind = KTSTR_HOLD_FULL })
#define ktstr_hold_frac(f)  ((struct ktstr_hold){ .kind = KTSTR_HOLD_FRAC, .fraction = (f) })
#define ktstr_hold_fixed(t) ((struct ktstr_hold){ .kind = KTSTR_HOLD_FIXED, .ns = (t) })
#define ktstr_hold_loop(t)  ((struct ktstr_hold){ .kind = KTSTR_HOLD_LOOP, .ns = (t) })

/*
 * One step: its ops in order, then its cgroups, then the hold. With a LOOP hold its cgroups come first. What it made is
 * torn down at its end, whatever happened. All zero: an empty step of the full duration.
 */
struct ktstr_step {
	struct ktstr_setup setup; /* KTSTR_DEFS(...) */
	const struct ktstr_op *ops; /* KTSTR_OPS(...) */
	size_t ops_count;
	struct ktstr_hold hold;
};

/* KTSTR_OPS(KTSTR_OP(FREEZE_CGROUP, .cgroup = "a"), ...) in a step or a backdrop. */
#define KTSTR_OPS(...)                                                                             \
	.ops = (const struct ktstr_op[]){ __VA_ARGS__ },                                           \
	.ops_count = sizeof((const struct ktstr_op[]){ __VA_ARGS__ }) / sizeof(struct ktstr_op)

/* KTSTR_STEPS({ KTSTR_OPS(...), .hold = ktstr_hold_frac(.5) }, { ... }) in a plan. */
#define KTSTR_STEPS(...)                                                                           \
	.steps = (const struct ktstr_step[]){ __VA_ARGS__ },                                       \
	.steps_count = sizeof((const struct ktstr_step[]){ __VA_ARGS__ }) / sizeof(struct ktstr_step)

/* An array of steps and its length, as two arguments of ktstr_execute_steps() and its like. */
#define KTSTR_STEP_LIST(...)                                                                       \
	((const struct ktstr_step[]){ __VA_ARGS__ }),                                              \
		(sizeof((const struct ktstr_step[]){ __VA_ARGS__ }) / sizeof(struct ktstr_step))

/* Steps as expressions. The arrays that they point to live as long as the enclosing block. */
#define ktstr_step_new(ops_, count, hold_)                                                         \
	((struct ktstr_step){ .ops = (ops_), .ops_count = (count), .hold = (hold_) })
#define ktstr_step_hold(hold_) ((struct ktstr_step){ .hold = (hold_) })
#define ktstr_step_with_op(op, hold_)                                                              \
	((struct ktstr_step){ .ops = (const struct ktstr_op[]){ op }, .ops_count = 1, .hold = (hold_) })
#define ktstr_step_with_defs(defs_, count, hold_)                                                  \
	((struct ktstr_step){ .setup = { .defs = (defs_), .defs_count = (count) }, .hold = (hold_) })
/* The payload runs for the hold and is killed at teardown. */
#define ktstr_step_with_payload(program, hold_)                                                    \
	ktstr_step_with_op(KTSTR_OP(RUN_PAYLOAD, .payload = (program)), hold_)

static inline void ktstr_step_set_ops(struct ktstr_step *step, const struct ktstr_op *ops, size_t count)
{
	step->ops = ops;
	step->ops_count = count;
}

static inline void ktstr_step_set_hold(struct ktstr_step *step, struct ktstr_hold hold)
{
	step->hold = hold;
}

/*
 * What stays for the whole scenario, set up in the order of the members. Its ops may do everything; a cgroup without
 * workers, such as the target of a move, is an ADD_CGROUP op. Workers of its cgroups measure each step by itself.
 */
struct ktstr_backdrop {
	struct ktstr_setup setup; /* cgroups, KTSTR_DEFS(...) */
	const struct ktstr_op *ops; /* KTSTR_OPS(...) */
	size_t ops_count;
	const struct ktstr_payload *const *payloads; /* KTSTR_WORKLOADS(&a, &b); each runs where the test program is */
	unsigned char owned_; /* which arrays ktstr_backdrop_push_*() made */
};

#define KTSTR_BACKDROP_EMPTY ((struct ktstr_backdrop){ 0 })
#define ktstr_backdrop_from_cgroups(defs_, count)                                                  \
	((struct ktstr_backdrop){ .setup = { .defs = (defs_), .defs_count = (count) } })

/* Copies one to the end, or several. A backdrop that was pushed to needs ktstr_backdrop_deinit(). */
void ktstr_backdrop_push_cgroup(struct ktstr_backdrop *backdrop, struct ktstr_cgroup_def def);
void ktstr_backdrop_push_op(struct ktstr_backdrop *backdrop, struct ktstr_op op);
void ktstr_backdrop_push_payload(struct ktstr_backdrop *backdrop, const struct ktstr_payload *payload);
void ktstr_backdrop_extend_cgroups(struct ktstr_backdrop *backdrop, const struct ktstr_cgroup_def *defs, size_t count);
void ktstr_backdrop_extend_ops(struct ktstr_backdrop *backdrop, const struct ktstr_op *ops, size_t count);
void ktstr_backdrop_deinit(struct ktstr_backdrop *backdrop);

struct ktstr_plan {
	struct ktstr_backdrop backdrop;
	const struct ktstr_step *steps; /* KTSTR_STEPS(...) */
	size_t steps_count;
};

/*
 * A test's .plan: gives its visitor the plan for a context. Called before any VM boots, to check and to print the plan, and in
 * the guest, to run it. What the plan points to only has to live until the call returns; ctx says topology, duration, settle
 * time and workers per cgroup. Must have no effects. (A function, because GCC before 13 does not take a compound literal
 * within another one as a constant of a file's scope.)
 */
struct ktstr_plan_visitor;
typedef void (*ktstr_plan_fn)(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor);
void ktstr_plan_visit(struct ktstr_plan_visitor *visitor, const struct ktstr_plan *plan);
/* Instead of a plan: why there is none on this topology. The test is then skipped. */
void ktstr_plan_skip(struct ktstr_plan_visitor *visitor, const char *fmt, ...) KTSTR_PRINTF(2, 3);

/* Defines the plan `id`, a ktstr_plan_fn; its members may use `ctx`. */
#define KTSTR_PLAN(id, ...)                                                                        \
	static void id(const struct ktstr_ctx *ctx __attribute__((unused)), struct ktstr_plan_visitor *visitor) \
	{                                                                                          \
		ktstr_plan_visit(visitor, &(const struct ktstr_plan){ __VA_ARGS__ });              \
	}

#ifdef __cplusplus
}
#endif
#endif
