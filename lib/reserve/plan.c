// SPDX-License-Identifier: GPL-2.0-only
/* Chooses host CPUs; see plan.h. */
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "reserve/plan.h"

static const struct ktstr_llc_info *llcs_of(const struct ktstr_host_view *host, size_t *count)
{
	return ktstr_test_topology_llcs(host->topology, count);
}

static struct ktstr_cpus usable_in(const struct ktstr_host_view *host, const struct ktstr_llc_info *llc)
{
	return ktstr_cpus_and(&llc->cpus, &host->allowed);
}

static struct ktstr_llc_use use_of(const struct ktstr_host_view *host, size_t llc)
{
	return host->use ? host->use[llc] : (struct ktstr_llc_use){ 0 };
}

unsigned int ktstr_host_cpus_count(const struct ktstr_host_view *host)
{
	struct ktstr_cpus all = ktstr_test_topology_all_cpus(host->topology);
	struct ktstr_cpus usable = ktstr_cpus_and(&all, &host->allowed);

	return ktstr_cpus_count(&usable);
}

unsigned int ktstr_default_cpu_budget(unsigned int allowed, unsigned int vcpus)
{
	unsigned int share = (allowed * 3 + 9) / 10;
	unsigned int wanted = vcpus < allowed ? vcpus : allowed;

	return share > wanted ? share : wanted;
}

/* A host LLC as a pool sees it. */
struct candidate {
	unsigned int index, node, holders, distance; /* of its node from the seed's */
};

/* From the seed's node outwards, the least held first. */
static bool comes_before(const struct candidate *a, const struct candidate *b)
{
	if (a->distance != b->distance)
		return a->distance < b->distance;
	if (a->node != b->node)
		return a->node < b->node;
	return a->holders != b->holders ? a->holders < b->holders : a->index < b->index;
}

static size_t list_candidates(const struct ktstr_host_view *host, struct candidate *list)
{
	size_t llcs_count, count = 0;
	const struct ktstr_llc_info *llcs = llcs_of(host, &llcs_count);

	for (size_t i = 0; i < llcs_count; i++) {
		struct ktstr_cpus usable = usable_in(host, &llcs[i]);

		if (ktstr_cpus_count(&usable) && !use_of(host, i).exclusive)
			list[count++] = (struct candidate){ .index = (unsigned int)i,
							    .node = llcs[i].numa_node,
							    .holders = use_of(host, i).shared };
	}
	return count;
}

static void sort_candidates(const struct ktstr_host_view *host, struct candidate *list, size_t count)
{
	size_t seed = 0;

	for (size_t i = 1; i < count; i++)
		if (list[i].holders < list[seed].holders)
			seed = i;
	for (size_t i = 0; i < count; i++)
		list[i].distance = list[i].node == list[seed].node ?
					   0 :
					   ktstr_test_topology_numa_distance(host->topology, list[seed].node, list[i].node);
	for (size_t i = 1; i < count; i++) /* a host has few */
		for (size_t j = i; j && comes_before(&list[j], &list[j - 1]); j--) {
			struct candidate moved = list[j];

			list[j] = list[j - 1];
			list[j - 1] = moved;
		}
}

static void add_llc(struct ktstr_cpu_plan *plan, unsigned int llc)
{
	size_t at = plan->llcs_count++;

	for (; at && plan->llcs[at - 1] > llc; at--)
		plan->llcs[at] = plan->llcs[at - 1];
	plan->llcs[at] = llc;
}

static void note_nodes(const struct ktstr_host_view *host, struct ktstr_cpu_plan *plan)
{
	plan->nodes = ktstr_test_topology_nodes_of_cpus(host->topology, &plan->cpus);
}

struct ktstr_error *ktstr_plan_pool(const struct ktstr_host_view *host, unsigned int budget, struct ktstr_cpu_plan *plan)
{
	size_t llcs_count, count;
	const struct ktstr_llc_info *llcs = llcs_of(host, &llcs_count);
	_cleanup_free_ struct candidate *list = ktstr_xcalloc(llcs_count, sizeof(*list));

	*plan = (struct ktstr_cpu_plan){ 0 };
	count = list_candidates(host, list);
	sort_candidates(host, list, count);
	for (size_t i = 0; i < count && ktstr_cpus_count(&plan->cpus) < budget; i++) {
		struct ktstr_cpus usable = usable_in(host, &llcs[list[i].index]);

		add_llc(plan, list[i].index);
		plan->spills |= list[i].distance != 0;
		ktstr_for_each_cpu (cpu, &usable)
			if (ktstr_cpus_count(&plan->cpus) < budget)
				ktstr_cpus_add(&plan->cpus, (unsigned int)cpu);
	}
	note_nodes(host, plan);
	if (ktstr_cpus_count(&plan->cpus) == budget)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_BUSY, "%u host CPUs are wanted, others have left %u of %u", budget,
			       ktstr_cpus_count(&plan->cpus), ktstr_host_cpus_count(host));
}

/* Host LLCs in the order in which virtual ones are put on them, `size` at a time for each guest node. */
struct places {
	unsigned int *llcs;
	size_t count; /* of LLCs */
	size_t chunk; /* LLCs of one guest node; 0 = nodes are not kept together */
};

static unsigned int largest_node(const struct ktstr_topology *machine)
{
	unsigned int largest = 0;

	for (unsigned int node = 0; node < machine->numa_nodes; node++)
		if (ktstr_topology_llcs_in_node(machine, node) > largest)
			largest = ktstr_topology_llcs_in_node(machine, node);
	return largest;
}

static unsigned int cpus_per_llc(const struct ktstr_topology *machine)
{
	return machine->cores_per_llc * machine->threads_per_core;
}

/* Those that can take a virtual LLC, of one host node, or of all: UINT_MAX. */
static size_t list_fitting(const struct ktstr_host_view *host, const struct ktstr_topology *machine, unsigned int node,
			   unsigned int *list)
{
	size_t llcs_count, count = 0;
	const struct ktstr_llc_info *llcs = llcs_of(host, &llcs_count);

	for (size_t i = 0; i < llcs_count; i++) {
		struct ktstr_cpus usable = usable_in(host, &llcs[i]);

		if ((node == ~0u || llcs[i].numa_node == node) && ktstr_cpus_count(&usable) >= cpus_per_llc(machine))
			list[count++] = (unsigned int)i;
	}
	return count;
}

/* Chunks of all host nodes in turn, so that guest nodes come to lie on different ones. */
static struct places places_by_node(const struct ktstr_host_view *host, const struct ktstr_topology *machine)
{
	size_t nodes_count, llcs_count;
	const unsigned int *nodes = ktstr_test_topology_numa_node_ids(host->topology, &nodes_count);
	struct places places = { .chunk = largest_node(machine) };
	_cleanup_free_ unsigned int *list = NULL;
	bool more = true;

	llcs_of(host, &llcs_count);
	list = ktstr_xcalloc(llcs_count, sizeof(*list));
	places.llcs = ktstr_xcalloc(llcs_count, sizeof(*places.llcs));
	for (size_t turn = 0; more; turn++) {
		more = false;
		for (size_t n = 0; n < nodes_count; n++) {
			size_t count = list_fitting(host, machine, nodes[n], list);

			if (count < (turn + 1) * places.chunk)
				continue;
			memcpy(places.llcs + places.count, list + turn * places.chunk, places.chunk * sizeof(*list));
			places.count += places.chunk;
			more = true;
		}
	}
	return places;
}

static struct places find_places(const struct ktstr_host_view *host, const struct ktstr_topology *machine)
{
	struct places places = places_by_node(host, machine);

	if (places.count / places.chunk >= ktstr_topology_cpu_bearing_nodes(machine))
		return places;
	places.chunk = 0;
	places.count = list_fitting(host, machine, ~0u, places.llcs);
	return places;
}

/* LLCs of one slot. */
static size_t slot_size(const struct places *places, const struct ktstr_topology *machine)
{
	return places->chunk ? places->chunk * ktstr_topology_cpu_bearing_nodes(machine) : machine->llcs;
}

struct ktstr_error *ktstr_plan_performance_check(const struct ktstr_host_view *host, const struct ktstr_topology *machine)
{
	struct places places = find_places(host, machine);
	_cleanup_free_ unsigned int *list = places.llcs;
	unsigned int needed = ktstr_topology_total_cpus(machine) + 1, has = ktstr_host_cpus_count(host);
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	ktstr_topology_format(machine, shape);
	if (needed > has)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "%s needs %u host CPUs, one for each vCPU and one for everything else; %u are allowed",
				       shape, needed, has);
	if (places.count < slot_size(&places, machine))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "%s needs %u host LLCs with at least %u allowed CPUs in each; this host has %zu", shape,
				       machine->llcs, cpus_per_llc(machine), places.count);
	return NULL;
}

size_t ktstr_plan_performance_slots(const struct ktstr_host_view *host, const struct ktstr_topology *machine)
{
	struct places places = find_places(host, machine);
	_cleanup_free_ unsigned int *list = places.llcs;
	size_t slots = places.count / slot_size(&places, machine);

	return slots ? slots : 1;
}

/* Where a virtual LLC lies within its slot. */
static size_t place_in_slot(const struct places *places, const struct ktstr_topology *machine, unsigned int llc)
{
	unsigned int node = ktstr_topology_numa_node_of(machine, llc), before = 0;

	if (!places->chunk)
		return llc;
	for (unsigned int i = 0; i < node; i++)
		before += ktstr_topology_llcs_in_node(machine, i) != 0;
	return before * places->chunk + llc - ktstr_topology_first_llc_in_node(machine, node);
}

/* Beside the vCPUs in their own LLCs, else where nobody holds an LLC for himself, else anywhere. */
static unsigned int choose_service_cpu(const struct ktstr_host_view *host, const struct ktstr_cpu_plan *plan)
{
	size_t llcs_count;
	const struct ktstr_llc_info *llcs = llcs_of(host, &llcs_count);
	struct ktstr_cpus own = { 0 }, free = { 0 }, any = { 0 };

	for (size_t i = 0, next = 0; i < llcs_count; i++) {
		struct ktstr_cpus usable = usable_in(host, &llcs[i]);
		bool ours = next < plan->llcs_count && plan->llcs[next] == i;

		next += ours;
		usable = ktstr_cpus_minus(&usable, &plan->cpus);
		any = ktstr_cpus_or(&any, &usable);
		if (ours)
			own = ktstr_cpus_or(&own, &usable);
		if (!use_of(host, i).exclusive)
			free = ktstr_cpus_or(&free, &usable);
	}
	if (!ktstr_cpus_count(&own))
		own = ktstr_cpus_count(&free) ? free : any;
	return (unsigned int)ktstr_cpus_next(&own, 0);
}

void ktstr_plan_performance(const struct ktstr_host_view *host, const struct ktstr_topology *machine, size_t slot,
			    struct ktstr_cpu_plan *plan)
{
	struct places places = find_places(host, machine);
	_cleanup_free_ unsigned int *list = places.llcs;
	size_t llcs_count;
	const struct ktstr_llc_info *llcs = llcs_of(host, &llcs_count);

	*plan = (struct ktstr_cpu_plan){ 0 };
	for (unsigned int llc = 0; llc < machine->llcs; llc++) {
		unsigned int index = list[slot * slot_size(&places, machine) + place_in_slot(&places, machine, llc)];
		struct ktstr_cpus usable = usable_in(host, &llcs[index]);
		int cpu = -1;

		add_llc(plan, index);
		for (unsigned int i = 0; i < cpus_per_llc(machine); i++) {
			cpu = ktstr_cpus_next(&usable, (unsigned int)(cpu + 1));
			plan->vcpu_cpus[plan->vcpus_count++] = (unsigned int)cpu;
			ktstr_cpus_add(&plan->cpus, (unsigned int)cpu);
		}
	}
	plan->service_cpu = choose_service_cpu(host, plan);
	note_nodes(host, plan); /* of the vCPUs: their memory is bound to them */
	ktstr_cpus_add(&plan->cpus, plan->service_cpu);
}
