// SPDX-License-Identifier: GPL-2.0-only
/* The text form of a machine shape, "1n2l4c2t": parsed strictly, formatted back. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "topology/axes.h"

const struct ktstr_topology_axis ktstr_topology_axes[KTSTR_TOPOLOGY_AXES] = {
	{ 'n', "NUMA nodes", offsetof(struct ktstr_topology, numa_nodes) },
	{ 'l', "LLCs", offsetof(struct ktstr_topology, llcs) },
	{ 'c', "cores per LLC", offsetof(struct ktstr_topology, cores_per_llc) },
	{ 't', "threads per core", offsetof(struct ktstr_topology, threads_per_core) },
};

static const struct ktstr_topology_axis *axis_of_letter(char letter)
{
	for (size_t i = 0; i < KTSTR_TOPOLOGY_AXES; i++)
		if (ktstr_topology_axes[i].letter == letter)
			return &ktstr_topology_axes[i];
	return NULL;
}

/* What stands where the letter of `axis` belongs, after its number. */
static struct ktstr_error *wrong_letter(const struct ktstr_topology_axis *axis, unsigned int value,
					const char *at)
{
	const struct ktstr_topology_axis *other = axis_of_letter(*at);

	if (!*at)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"it ends after the number %u, where the letter %c (%s) belongs", value,
			axis->letter, axis->what);
	if (*at == 's')
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"axis s (sockets) belongs to an old form that is no longer read; "
			"say NUMA nodes, LLCs, cores per LLC, threads per core");
	if (other)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"axis %c (%s) stands where axis %c (%s) belongs; the order is n, l, "
			"c, t",
			other->letter, other->what, axis->letter, axis->what);
	return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" stands where the letter %c (%s) belongs",
			       at, axis->letter, axis->what);
}

/* Reads "<number><letter>" at *at into value and moves past it. */
static struct ktstr_error *parse_axis(const struct ktstr_topology_axis *axis, const char **at,
				      unsigned int *value)
{
	const char *start = *at;
	uint64_t number = 0;

	if (!*start)
		return ktstr_error_new(KTSTR_ERR_INVALID, "it ends before axis %c (%s)",
				       axis->letter, axis->what);
	for (; isdigit((unsigned char)**at); (*at)++) {
		number = number * 10 + (**at - '0');
		if (number > KTSTR_MAX_CPUS)
			number = KTSTR_MAX_CPUS + 1;
	}
	if (*at == start)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "\"%s\" stands where the number of axis %c (%s) belongs",
				       start, axis->letter, axis->what);
	if (**at != axis->letter)
		return wrong_letter(axis, number, *at);
	if (number > KTSTR_MAX_CPUS)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"axis %c (%s) is %.*s; no axis can exceed the %d CPUs that a machine "
			"can have",
			axis->letter, axis->what, (int)(*at - start), start, KTSTR_MAX_CPUS);
	*value = number;
	(*at)++;
	return NULL;
}

struct ktstr_error *ktstr_topology_parse_axes(const char *text, struct ktstr_topology *topology)
{
	const char *at = text;

	for (size_t i = 0; i < KTSTR_TOPOLOGY_AXES; i++)
		KTSTR_TRY(parse_axis(&ktstr_topology_axes[i], &at,
				     ktstr_topology_axis_value(topology, &ktstr_topology_axes[i])));
	if (*at)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"\"%s\" follows axis t (threads per core), where the text must end", at);
	return NULL;
}

struct ktstr_error *ktstr_topology_parse(const char *text, struct ktstr_topology *topology)
{
	struct ktstr_topology result = { 0 };
	_cleanup_error_ struct ktstr_error *error = ktstr_topology_parse_axes(text, &result);

	if (error)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"topology \"%s\": %s; write it like " KTSTR_TOPOLOGY_RIGHT_FORM, text,
			ktstr_error_message(error));
	KTSTR_TRY_WRAP(ktstr_topology_validate(&result), "topology \"%s\"", text);
	*topology = result;
	return NULL;
}

char *ktstr_topology_format(const struct ktstr_topology *topology,
			    char out[KTSTR_TOPOLOGY_TEXT_BYTES])
{
	snprintf(out, KTSTR_TOPOLOGY_TEXT_BYTES, "%un%ul%uc%ut", topology->numa_nodes,
		 topology->llcs, topology->cores_per_llc, topology->threads_per_core);
	return out;
}
