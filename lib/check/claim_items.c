// SPDX-License-Identifier: GPL-2.0-only
/* Claims about collections: sets, in which equal items count once, and sequences. */
#include <string.h>

#include "check/claim_words.h"
#include "check/value.h"

enum { SHOWN_ITEMS = 20 };

static size_t length_of(const struct ktstr_items *items)
{
	return items->kind == KTSTR_ITEMS_CPUS ? ktstr_cpus_count(&items->cpus) : items->count;
}

/* Of an array. */
static struct ktstr_value item_at(const struct ktstr_items *items, size_t i)
{
	switch (items->kind) {
	case KTSTR_ITEMS_U64:
		return ktstr_value_uint(((const uint64_t *)items->data)[i]);
	case KTSTR_ITEMS_I64:
		return ktstr_value_int(((const int64_t *)items->data)[i]);
	case KTSTR_ITEMS_UINT:
		return ktstr_value_uint(((const unsigned int *)items->data)[i]);
	case KTSTR_ITEMS_INT:
		return ktstr_value_int(((const int *)items->data)[i]);
	case KTSTR_ITEMS_F64:
		return ktstr_value_float(((const double *)items->data)[i]);
	case KTSTR_ITEMS_TEXT:
		return ktstr_value_text(((const char *const *)items->data)[i]);
	default:
		return ktstr_value_absent();
	}
}

static bool equal(struct ktstr_value a, struct ktstr_value b)
{
	return ktstr_value_order(a, b) == KTSTR_ORDER_EQUAL;
}

/* Is there one among the first `count`? */
static bool found_before(const struct ktstr_items *items, size_t count, struct ktstr_value value)
{
	for (size_t i = 0; i < count; i++)
		if (equal(item_at(items, i), value))
			return true;
	return false;
}

static bool has(const struct ktstr_items *items, struct ktstr_value value)
{
	double cpu = ktstr_value_to_f64(value);

	if (items->kind == KTSTR_ITEMS_CPUS)
		return cpu >= 0 && cpu < KTSTR_MAX_CPUS && ktstr_cpus_has(&items->cpus, (unsigned int)cpu) &&
		       equal(value, ktstr_value_uint((unsigned int)cpu));
	return found_before(items, items->count, value);
}

static void add_item(struct ktstr_str *out, struct ktstr_value value, size_t shown)
{
	_cleanup_free_ char *text = ktstr_value_format(value);

	if (shown < SHOWN_ITEMS)
		ktstr_str_addf(out, "%s%s", shown ? ", " : "", text);
	else if (shown == SHOWN_ITEMS)
		ktstr_str_add(out, ", ...");
}

/* Calls for each distinct item (of a set), or each item. Returns how many there were. */
static size_t list_items(const struct ktstr_items *items, bool distinct, const struct ktstr_items *other,
			 bool listed_when_in_other, struct ktstr_str *out)
{
	size_t listed = 0;

	if (items->kind == KTSTR_ITEMS_CPUS) {
		ktstr_for_each_cpu(cpu, &items->cpus) {
			struct ktstr_value value = ktstr_value_int(cpu);

			if (!other || has(other, value) == listed_when_in_other)
				add_item(out, value, listed++);
		}
		return listed;
	}
	for (size_t i = 0; i < items->count; i++) {
		struct ktstr_value value = item_at(items, i);

		if (distinct && found_before(items, i, value))
			continue;
		if (!other || has(other, value) == listed_when_in_other)
			add_item(out, value, listed++);
	}
	return listed;
}

/* "{0, 1}" of a set, "[a, a]" of a sequence; *length of it. */
static char *items_text(const struct ktstr_items *items, bool is_set, size_t *length)
{
	_cleanup_str_ struct ktstr_str list = { 0 };

	if (items->kind == KTSTR_ITEMS_OPAQUE || items->kind == KTSTR_ITEMS_ABSENT) {
		*length = length_of(items);
		return ktstr_xasprintf("%zu items", *length);
	}
	*length = list_items(items, is_set, NULL, false, &list);
	return ktstr_xasprintf(is_set ? "{%s}" : "[%s]", ktstr_str_text(&list));
}

struct collection_claim {
	struct ktstr_assert_result *result;
	const char *label;
	const struct ktstr_items *items, *other;
	struct ktstr_value value;
	enum ktstr_comparator comparator;
	struct ktstr_claim_modifiers modifiers;
	bool is_set;
};

/* Does it hold? offenders: the items that speak against it. */
static bool holds(const struct collection_claim *claim, size_t length, struct ktstr_str *offenders)
{
	struct ktstr_value count = ktstr_value_uint(length);

	switch (claim->comparator) {
	case KTSTR_CMP_set_empty:
	case KTSTR_CMP_seq_empty:
		return length == 0;
	case KTSTR_CMP_set_nonempty:
	case KTSTR_CMP_seq_nonempty:
		return length > 0;
	case KTSTR_CMP_set_len_eq:
	case KTSTR_CMP_seq_len_eq:
		return ktstr_claim_holds(count, KTSTR_CMP_eq, claim->value, claim->value);
	case KTSTR_CMP_set_len_at_most:
	case KTSTR_CMP_seq_len_at_most:
		return ktstr_claim_holds(count, KTSTR_CMP_at_most, claim->value, claim->value);
	case KTSTR_CMP_set_len_at_least:
	case KTSTR_CMP_seq_len_at_least:
		return ktstr_claim_holds(count, KTSTR_CMP_at_least, claim->value, claim->value);
	case KTSTR_CMP_set_contains:
	case KTSTR_CMP_seq_contains:
		return has(claim->items, claim->value);
	case KTSTR_CMP_set_subset_of:
		return !list_items(claim->items, true, claim->other, false, offenders);
	case KTSTR_CMP_set_disjoint_from:
		return !list_items(claim->items, true, claim->other, true, offenders);
	default:
		return false;
	}
}

static char *expected_text(const struct collection_claim *claim)
{
	size_t length;

	if (claim->comparator == KTSTR_CMP_set_subset_of || claim->comparator == KTSTR_CMP_set_disjoint_from)
		return items_text(claim->other, true, &length);
	return claim->value.kind == KTSTR_VALUE_ABSENT ? ktstr_xstrdup("") : ktstr_value_format(claim->value);
}

static bool judge(const struct collection_claim *claim)
{
	size_t length;
	_cleanup_free_ char *observed = items_text(claim->items, claim->is_set, &length);
	_cleanup_free_ char *expected = expected_text(claim);
	_cleanup_str_ struct ktstr_str offenders = { 0 };
	const char *word = ktstr_claim_word(claim->comparator), *blank = *expected ? " " : "";

	if (claim->items->kind == KTSTR_ITEMS_ABSENT)
		return ktstr_claim_fails(claim->result, claim->modifiers, "%s is absent, expected %s%s%s",
					 claim->label, word, blank, expected);
	if (holds(claim, length, &offenders)) {
		ktstr_assert_record_pass(claim->result, claim->label, KTSTR_COMPARATOR_VOCABULARY[claim->comparator],
					 observed, *expected ? expected : NULL);
		return true;
	}
	if (offenders.length)
		return ktstr_claim_fails(claim->result, claim->modifiers, "%s was %s, expected %s %s: not so %s",
					 claim->label, observed, word, expected, ktstr_str_text(&offenders));
	return ktstr_claim_fails(claim->result, claim->modifiers, "%s was %s (%zu), expected %s%s%s", claim->label,
				 observed, length, word, blank, expected);
}

bool ktstr_set_claim_compare(struct ktstr_set_claim claim, enum ktstr_comparator comparator, struct ktstr_value value,
			     struct ktstr_items other, struct ktstr_claim_modifiers modifiers)
{
	return judge(&(struct collection_claim){ .result = claim.result,
						 .label = claim.label,
						 .items = &claim.items,
						 .other = &other,
						 .value = value,
						 .comparator = comparator,
						 .modifiers = modifiers,
						 .is_set = true });
}

bool ktstr_seq_claim_compare(struct ktstr_seq_claim claim, enum ktstr_comparator comparator, struct ktstr_value value,
			     struct ktstr_claim_modifiers modifiers)
{
	return judge(&(struct collection_claim){ .result = claim.result,
						 .label = claim.label,
						 .items = &claim.items,
						 .value = value,
						 .comparator = comparator,
						 .modifiers = modifiers });
}
