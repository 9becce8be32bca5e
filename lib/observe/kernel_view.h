/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A running (or saved) kernel as seen from outside: its memory, symbols and types together, and reads by member
 * path. Everything that walks kernel structures starts here.
 */
#ifndef KTSTR_OBSERVE_KERNEL_VIEW_H
#define KTSTR_OBSERVE_KERNEL_VIEW_H

#include "ktstr/cpuset.h"
#include "observe/address.h"
#include "observe/symbols.h"
#include "observe/types.h"
#include "observe/vmcoreinfo.h"
#include "observe/vmlinux.h"

struct ktstr_kernel_view {
	struct ktstr_guest_memory *memory;
	struct ktstr_vmcoreinfo info;
	struct ktstr_address_space space;
	struct ktstr_symbols *symbols;
	const char *symbols_from; /* "vmlinux" or "kallsyms" */
	char *symbols_note; /* why not from the vmlinux, when a user can do something about it; else NULL */
	struct ktstr_types *types; /* borrowed */
	uint64_t slide; /* run-time - link-time address of the kernel image (KASLR) */
	uint64_t per_cpu_offsets[KTSTR_MAX_CPUS];
	unsigned int cpus; /* possible ones: slots of per_cpu_offsets that are in use */
};

/*
 * Finds its way in the memory of a booted kernel whose vmlinux is given, which must outlive the view. Takes over memory,
 * also on failure. vmcoreinfo_hint: physical address of the vmcoreinfo page when it is known, else 0 (RAM is searched).
 */
struct ktstr_error *ktstr_kernel_view_open(struct ktstr_guest_memory *memory, const struct ktstr_vmlinux *vmlinux,
					   uint64_t vmcoreinfo_hint, struct ktstr_kernel_view **view) KTSTR_CHECKED;
void ktstr_kernel_view_close(struct ktstr_kernel_view *view);

/* Run-time address of a symbol, 0 when the kernel has none of that name. */
uint64_t ktstr_view_symbol(const struct ktstr_kernel_view *view, const char *name);
/* Address of a CPU's copy of a per-CPU variable given its symbol's address; 0 for a CPU that cannot be. */
uint64_t ktstr_view_per_cpu(const struct ktstr_kernel_view *view, uint64_t address, unsigned int cpu);
/* The kernel's jiffies_64, 0 when it cannot be read. */
uint64_t ktstr_view_jiffies(const struct ktstr_kernel_view *view);

/* A structure in the guest: what it is and where. address 0 = none. */
struct ktstr_object {
	const struct ktstr_kernel_view *view;
	const char *type; /* name of a struct */
	uint64_t address;
};

static inline struct ktstr_object ktstr_object(const struct ktstr_kernel_view *view, const char *type,
					       uint64_t address)
{
	return (struct ktstr_object){ view, type, address };
}

/* Does this kernel's struct have the member? */
bool ktstr_has(const struct ktstr_object *object, const char *path);
/* Address of a member; 0 when there is none. */
uint64_t ktstr_member_address(const struct ktstr_object *object, const char *path);
/* An integer, pointer or enum member, zero-extended. False: no such member, or it cannot be read. */
bool ktstr_get(const struct ktstr_object *object, const char *path, uint64_t *value);
/* Sign-extended from the member's size. */
bool ktstr_get_signed(const struct ktstr_object *object, const char *path, int64_t *value);
/* The same with 0 for what cannot be read: where absence and zero mean the same to the caller. */
uint64_t ktstr_get_or_zero(const struct ktstr_object *object, const char *path);
/* A char array as text. */
bool ktstr_get_text(const struct ktstr_object *object, const char *path, char *out, size_t max);
/* The structure that a pointer member points to; address 0 when it is NULL or unreadable. */
struct ktstr_object ktstr_follow(const struct ktstr_object *object, const char *path, const char *type);
/* The structure of which member_path is at the given address (container_of). */
struct ktstr_object ktstr_container(const struct ktstr_kernel_view *view, const char *type, const char *member_path,
				    uint64_t member_address);

/*
 * Walks a struct list_head at head: visit() gets the address of each node, stops the walk by returning false.
 * Ends at the head, at `cap` nodes, at an unreadable node, or when it comes to a node twice. Returns whether it
 * reached the head.
 */
bool ktstr_walk_list(const struct ktstr_kernel_view *view, uint64_t head, size_t cap,
		     bool (*visit)(void *context, uint64_t node), void *context);

#endif
