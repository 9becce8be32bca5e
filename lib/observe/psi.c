// SPDX-License-Identifier: GPL-2.0-only
/* struct psi_group, system-wide (psi_system) and that of each workload cgroup (cgroup.psi). */
#include <stdlib.h>

#include "base/array.h"
#include "base/str.h"
#include "observe/cgroups.h"
#include "observe/fields_json.h"
#include "observe/psi.h"
#include "observe/render.h"

/*
 * avg[state][3] are percentages in fixed point with 11 bits behind the point (FSHIFT), the first of 10 s; total[PSI_AVGS =
 * 0][state] is in ns, of two rows. pahole writes either as an array of one dimension, so places are counted out here.
 */
enum { PCT_ONE = 2048, AVERAGE_BYTES = 3 * 8, TOTAL_BYTES = 8, TOTAL_ROWS = 2 };

static const char *const no_irq_time = "the kernel has no IRQ time accounting (CONFIG_IRQ_TIME_ACCOUNTING)";

static bool is_within(const struct ktstr_field *field, int64_t state, uint32_t bytes_per_state)
{
	return field->found && state >= 0 && state < field->bytes / bytes_per_state;
}

struct ktstr_psi_state ktstr_psi_state_find(const struct ktstr_types *types, const char *name)
{
	struct ktstr_field averages = ktstr_types_field(types, "psi_group", "avg");
	struct ktstr_field totals = ktstr_types_field(types, "psi_group", "total");
	struct ktstr_psi_state none = { 0 };
	int64_t state;

	if (!ktstr_types_enumerator(types, name, &state) || !is_within(&averages, state, AVERAGE_BYTES) ||
	    !is_within(&totals, state, TOTAL_ROWS * TOTAL_BYTES))
		return none;
	return (struct ktstr_psi_state){ true, averages.offset + AVERAGE_BYTES * (uint32_t)state,
					 totals.offset + TOTAL_BYTES * (uint32_t)state };
}

struct ktstr_psi ktstr_psi_read(const struct ktstr_kernel_view *view, uint64_t group, const struct ktstr_psi_state *state)
{
	struct ktstr_psi psi = { 0 };
	uint64_t value;

	if (!group || !state->found)
		return psi;
	if (ktstr_read_uint(&view->space, group + state->avg10, 8, &value))
		psi.avg10_pct = (struct ktstr_opt_f64){ true, (double)value / PCT_ONE };
	if (ktstr_read_uint(&view->space, group + state->total, 8, &value))
		psi.total_ns = (struct ktstr_opt_u64){ true, value };
	return psi;
}

/*
 * sched_clock_irqtime (kernel/sched/cputime.c) is an int or a static key, which begins with one: 0 while IRQ time is not
 * accounted for, and PSI_IRQ_FULL then stays 0 whatever happens.
 */
const char *ktstr_psi_irq_unavailable(const struct ktstr_kernel_view *view, const struct ktstr_psi_state *irq)
{
	uint64_t on;

	if (!irq->found)
		return no_irq_time;
	if (ktstr_read_uint(&view->space, ktstr_view_symbol(view, "sched_clock_irqtime"), 4, &on) && !on)
		return "IRQ time accounting is off in the guest (its clock is no TSC, or it was booted with tsc=noirqtime)";
	return NULL;
}

/* --- per cgroup --- */

static const struct {
	const char *key, *name;
} states[] = {
	{ "cpu_some", "PSI_CPU_SOME" },	      { "cpu_full", "PSI_CPU_FULL" },	{ "memory_some", "PSI_MEM_SOME" },
	{ "memory_full", "PSI_MEM_FULL" },    { "io_some", "PSI_IO_SOME" },	{ "io_full", "PSI_IO_FULL" },
	{ "irq_full", "PSI_IRQ_FULL" },
};
enum { STATES = ARRAY_SIZE(states), IRQ = STATES - 1 };

static json_t *to_json(const struct ktstr_psi *psi)
{
	json_t *json;

	if (!psi->avg10_pct.set || !psi->total_ns.set)
		return NULL;
	json = json_pack("{sf}", "avg10_pct", psi->avg10_pct.value);
	json_object_set_new(json, "total_us", ktstr_json_exact_u64(psi->total_ns.value / 1000));
	return json;
}

/* NULL for a cgroup without pressure files. */
static json_t *pressures_of(const struct ktstr_kernel_view *view, const struct ktstr_cgroup *cgroup,
			    const struct ktstr_psi_state found[STATES])
{
	struct ktstr_object object = ktstr_object(view, "cgroup", cgroup->address);
	uint64_t group = ktstr_get_or_zero(&object, "psi");
	json_t *json;

	if (!group)
		return NULL;
	json = json_object();
	json_object_set_new(json, "cgroup", ktstr_guest_text_to_json(cgroup->name));
	json_object_set_new(json, "id", ktstr_json_exact_u64(cgroup->id));
	if (cgroup->has_children)
		json_object_set_new(json, "has_children", json_true());
	for (size_t i = 0; i < STATES; i++) {
		struct ktstr_psi psi = ktstr_psi_read(view, group, &found[i]);
		json_t *values = to_json(&psi);

		if (values)
			json_object_set_new(json, states[i].key, values);
	}
	return json;
}

static void add_all(const struct ktstr_kernel_view *view, const char *root, struct ktstr_psi_state known[STATES],
		    struct ktstr_cgroup_pressures *found)
{
	struct ktstr_cgroups cgroups;

	found->irq_unavailable = ktstr_psi_irq_unavailable(view, &known[IRQ]);
	known[IRQ].found = !found->irq_unavailable;
	found->unavailable = ktstr_cgroups_below(view, root, &cgroups);
	found->truncated = cgroups.truncated;
	for (size_t i = 0; i < cgroups.count; i++) {
		json_t *json = pressures_of(view, &cgroups.all[i], known);

		if (json)
			json_array_append_new(found->list, json);
	}
	if (!found->unavailable && !json_array_size(found->list))
		found->unavailable = cgroups.count ? ktstr_xasprintf("the cgroups below %s have no pressure files (psi=0)", root) :
						     ktstr_xasprintf("there is no cgroup below %s", root);
	ktstr_cgroups_deinit(&cgroups);
}

void ktstr_cgroup_pressures(const struct ktstr_kernel_view *view, const char *root, struct ktstr_cgroup_pressures *found)
{
	struct ktstr_psi_state known[STATES];
	bool any = false;

	*found = (struct ktstr_cgroup_pressures){ .list = json_array() };
	for (size_t i = 0; i < STATES; i++) {
		known[i] = ktstr_psi_state_find(view->types, states[i].name);
		any |= known[i].found;
	}
	if (any)
		add_all(view, root, known, found);
	else
		found->unavailable = ktstr_xstrdup("the kernel has no pressure stall information (CONFIG_PSI)");
}

void ktstr_cgroup_pressures_deinit(struct ktstr_cgroup_pressures *found)
{
	json_decref(found->list);
	free(found->unavailable);
	*found = (struct ktstr_cgroup_pressures){ 0 };
}
