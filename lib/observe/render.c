// SPDX-License-Identifier: GPL-2.0-only
/* BTF-typed bytes to JSON. The bytes and, for maps of a guest, the types are hostile: everything is bounded. */
#include <bpf/btf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "ktstr/cpuset.h"
#include "observe/render.h"

enum {
	PEEL_MAX = 32,
	NESTING_MAX = 32,
	ELEMENTS_MAX = 4096,
	NODES_MAX = 200 * 1000, /* of one tree: nested arrays multiply */
};

struct renderer {
	const struct btf *btf;
	unsigned int nodes, nodes_max;
};

static json_t *render(struct renderer *renderer, uint32_t id, const uint8_t *bytes, size_t have, int depth);

char *ktstr_hex(const void *bytes, size_t count)
{
	char *text = ktstr_xmalloc(2 * count + 1);

	for (size_t i = 0; i < count; i++)
		sprintf(text + 2 * i, "%02x", ((const uint8_t *)bytes)[i]);
	text[2 * count] = '\0';
	return text;
}

json_t *ktstr_render_bytes(const void *bytes, size_t have)
{
	_cleanup_free_ char *hex = ktstr_hex(bytes, have);

	return json_pack("{ss ss}", "kind", "bytes", "hex", hex);
}

static json_t *unsupported(const char *fmt, ...) KTSTR_PRINTF(1, 2);

static json_t *unsupported(const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str reason = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(&reason, fmt, args);
	va_end(args);
	return json_pack("{ss ss}", "kind", "unsupported", "reason", ktstr_str_text(&reason));
}

static uint32_t peel(const struct btf *btf, uint32_t id)
{
	for (int i = 0; i < PEEL_MAX; i++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (!type || !(btf_is_mod(type) || btf_is_typedef(type)))
			return id;
		id = type->type;
	}
	return 0;
}

static const char *name_of(const struct btf *btf, uint32_t offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name ? name : "";
}

static uint64_t sign_extend(uint64_t value, unsigned int bits)
{
	return bits >= 64 ? value : (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

/* A number of `bits` bits with the encoding of an integer type. */
static json_t *number(uint64_t raw, unsigned int bits, unsigned int encoding)
{
	if (encoding & BTF_INT_BOOL)
		return json_pack("{ss sb}", "kind", "bool", "value", raw != 0);
	if (encoding & BTF_INT_CHAR && bits == 8)
		return json_pack("{ss si}", "kind", "char", "value", (int)(raw & 0xff));
	if (encoding & BTF_INT_SIGNED)
		return json_pack("{ss si sI}", "kind", "int", "bits", (int)bits, "value",
				 (json_int_t)sign_extend(raw, bits));
	return json_pack("{ss si so}", "kind", "uint", "bits", (int)bits, "value", ktstr_json_exact_u64(raw));
}

static const char *variant_of(const struct btf *btf, const struct btf_type *type, uint64_t value)
{
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		bool wide = btf_is_enum64(type);
		uint64_t known = wide ? btf_enum64_value(&btf_enum64(type)[i]) :
					(uint32_t)btf_enum(type)[i].val;

		if (known == (wide ? value : (uint32_t)value))
			return name_of(btf, wide ? btf_enum64(type)[i].name_off : btf_enum(type)[i].name_off);
	}
	return NULL;
}

static json_t *enumerated(const struct btf *btf, const struct btf_type *type, uint64_t raw, unsigned int bits)
{
	bool is_signed = btf_kflag(type);
	const char *variant = variant_of(btf, type, is_signed ? sign_extend(raw, bits) : raw);

	return json_pack("{ss si so ss* sb}", "kind", "enum", "bits", (int)bits, "value",
			 is_signed ? json_integer((json_int_t)sign_extend(raw, bits)) : ktstr_json_exact_u64(raw),
			 "variant", variant, "is_signed", (int)is_signed);
}

static uint64_t load(const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;

	memcpy(&value, bytes, count < sizeof(value) ? count : sizeof(value));
	return value;
}

static json_t *floating(const uint8_t *bytes, size_t size)
{
	double value;
	float narrow;

	if (size == sizeof(value)) {
		memcpy(&value, bytes, sizeof(value));
	} else if (size == sizeof(narrow)) {
		memcpy(&narrow, bytes, sizeof(narrow));
		value = narrow;
	} else {
		return unsupported("a floating-point number of %zu bytes", size);
	}
	if (!isfinite(value)) /* JSON has no word for it */
		return unsupported("%s", isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf");
	return json_pack("{ss si sf}", "kind", "float", "bits", (int)(8 * size), "value", value);
}

/* Masks of CPUs: a list says more than words of bits. */
static bool is_cpu_mask(const char *name)
{
	static const char *const names[] = { "cpumask", "bpf_cpumask", "scx_bitmap", "cpumask_t" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static json_t *cpu_list(const uint8_t *bytes, size_t size)
{
	struct ktstr_cpus cpus = { 0 };
	_cleanup_free_ char *text = NULL;

	memcpy(cpus.bits, bytes, size < sizeof(cpus.bits) ? size / 8 * 8 : sizeof(cpus.bits));
	text = ktstr_cpus_to_text(&cpus);
	return json_pack("{ss ss}", "kind", "cpu_list", "cpus", text);
}

static json_t *bit_field(struct renderer *renderer, uint32_t id, const uint8_t *bytes, size_t have, uint32_t bit,
			 uint32_t width)
{
	const struct btf_type *type = btf__type_by_id(renderer->btf, peel(renderer->btf, id));
	size_t first = bit / 8;
	unsigned __int128 window = 0;
	uint64_t raw;

	if (width > 64 || first >= have || (bit % 8 + width + 7) / 8 > have - first)
		return unsupported("a bit field outside of what was read");
	memcpy(&window, bytes + first, (bit % 8 + width + 7) / 8);
	raw = (uint64_t)(window >> bit % 8);
	if (width < 64)
		raw &= (UINT64_C(1) << width) - 1;
	if (type && btf_is_any_enum(type))
		return enumerated(renderer->btf, type, raw, width);
	return number(raw, width, type && btf_is_int(type) ? btf_int_encoding(type) : 0);
}

static void add_member(json_t *members, const char *name, json_t *value)
{
	json_array_append_new(members, json_pack("{ss so}", "name", name, "value", value));
}

static json_t *composite(struct renderer *renderer, const struct btf_type *type, const uint8_t *bytes, size_t have,
			 int depth)
{
	const char *name = name_of(renderer->btf, type->name_off);
	json_t *members;

	if (is_cpu_mask(name))
		return cpu_list(bytes, have);
	members = json_array();
	for (uint32_t i = 0; i < btf_vlen(type) && i < ELEMENTS_MAX; i++) {
		const struct btf_member *member = &btf_members(type)[i];
		uint32_t bit = btf_member_bit_offset(type, i), width = btf_member_bitfield_size(type, i);
		size_t offset = bit / 8;
		json_t *value;

		if (width)
			value = bit_field(renderer, member->type, bytes, have, bit, width);
		else
			value = render(renderer, member->type, bytes + (offset < have ? offset : have),
				       offset < have ? have - offset : 0, depth + 1);
		add_member(members, name_of(renderer->btf, member->name_off), value);
	}
	return json_pack("{ss ss* so}", "kind", "struct", "type_name", *name ? name : NULL, "members", members);
}

static json_t *data_section(struct renderer *renderer, const struct btf_type *type, const uint8_t *bytes, size_t have,
			    int depth)
{
	json_t *members = json_array();

	for (uint32_t i = 0; i < btf_vlen(type) && i < ELEMENTS_MAX; i++) {
		const struct btf_var_secinfo *variable = &btf_var_secinfos(type)[i];
		const struct btf_type *var = btf__type_by_id(renderer->btf, variable->type);
		size_t left = variable->offset < have ? have - variable->offset : 0;

		if (!var || !btf_is_var(var))
			continue;
		add_member(members, name_of(renderer->btf, var->name_off),
			   render(renderer, var->type, bytes + have - left,
				  left < variable->size ? left : variable->size, depth + 1));
	}
	return json_pack("{ss ss so}", "kind", "struct", "type_name", name_of(renderer->btf, type->name_off), "members",
			 members);
}

static json_t *array(struct renderer *renderer, const struct btf_type *type, const uint8_t *bytes, size_t have,
		     int depth)
{
	uint32_t len = btf_array(type)->nelems, element = btf_array(type)->type;
	int64_t size = btf__resolve_size(renderer->btf, element);
	json_t *elements = json_array();

	for (uint32_t i = 0; i < len && i < ELEMENTS_MAX && size > 0; i++) {
		uint64_t offset = (uint64_t)i * (uint64_t)size;

		if (offset >= have)
			break;
		json_array_append_new(elements, render(renderer, element, bytes + offset, have - offset, depth + 1));
	}
	return json_pack("{ss sI so}", "kind", "array", "len", (json_int_t)len, "elements", elements);
}

/* All of the type's bytes are there. */
static json_t *whole(struct renderer *renderer, const struct btf_type *type, const uint8_t *bytes, size_t size, int depth)
{
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		if (btf_int_bits(type) > 64)
			return ktstr_render_bytes(bytes, size);
		return number(load(bytes, size), btf_int_bits(type), btf_int_encoding(type));
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return enumerated(renderer->btf, type, load(bytes, size), (unsigned int)(8 * size));
	case BTF_KIND_FLOAT:
		return floating(bytes, size);
	case BTF_KIND_PTR:
		return json_pack("{ss so}", "kind", "ptr", "value", ktstr_json_address(load(bytes, size)));
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return composite(renderer, type, bytes, size, depth);
	case BTF_KIND_DATASEC:
		return data_section(renderer, type, bytes, size, depth);
	case BTF_KIND_ARRAY:
		return array(renderer, type, bytes, size, depth);
	default:
		return unsupported("BTF kind %u", btf_kind(type));
	}
}

static json_t *render(struct renderer *renderer, uint32_t id, const uint8_t *bytes, size_t have, int depth)
{
	uint32_t peeled = peel(renderer->btf, id);
	const struct btf_type *type = btf__type_by_id(renderer->btf, peeled);
	int64_t size;

	if (!type || !peeled)
		return unsupported("BTF type %u is none", id);
	if (depth > NESTING_MAX)
		return unsupported("nested deeper than %d", NESTING_MAX);
	if (renderer->nodes == renderer->nodes_max)
		return unsupported("more than %u values", renderer->nodes_max);
	renderer->nodes++;
	/* A section's size is filled in by loaders, and may be 0 in what a guest holds. */
	size = btf_is_datasec(type) ? (int64_t)have : btf__resolve_size(renderer->btf, peeled);
	if (size < 0)
		return unsupported("a type without a size (%s)", name_of(renderer->btf, type->name_off));
	if ((uint64_t)size <= have)
		return whole(renderer, type, bytes, (size_t)size, depth);
	if (btf_is_composite(type) || btf_is_array(type))
		return json_pack("{ss sI sI so}", "kind", "truncated", "needed", (json_int_t)size, "had",
				 (json_int_t)have, "partial", whole(renderer, type, bytes, have, depth));
	return json_pack("{ss sI sI so}", "kind", "truncated", "needed", (json_int_t)size, "had", (json_int_t)have,
			 "partial", ktstr_render_bytes(bytes, have));
}

json_t *ktstr_render_within(const struct btf *btf, uint32_t type_id, const void *bytes, size_t have, unsigned int *left)
{
	struct renderer renderer = { .btf = btf, .nodes_max = *left < NODES_MAX ? *left : NODES_MAX };
	json_t *json = render(&renderer, type_id, bytes, have, 0);

	*left -= renderer.nodes;
	return json;
}

json_t *ktstr_render(const struct btf *btf, uint32_t type_id, const void *bytes, size_t have)
{
	unsigned int left = NODES_MAX;

	return ktstr_render_within(btf, type_id, bytes, have, &left);
}
