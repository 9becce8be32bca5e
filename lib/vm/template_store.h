/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The template store: directories <key>/{ram,state,frames,meta.json} in shared memory, so that clones share pages. Made
 * whole or not at all, checked before use, evicted least recently used first when over the cap.
 */
#ifndef KTSTR_VM_TEMPLATE_STORE_H
#define KTSTR_VM_TEMPLATE_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ktstr/error.h"

/* $KTSTR_TEMPLATE_DIR, else /dev/shm/ktstr-<uid>. Heap. */
char *ktstr_template_dir(void);

/* A template that is held: it is not evicted or dropped while the lock is open. */
struct ktstr_template_hold {
	char *dir;
	int lock_fd;
};
void ktstr_template_release(struct ktstr_template_hold *hold);

/*
 * Takes the template's lock, shared when it is there and sound, exclusive when it must be made (*must_build). Waits
 * for another process that is making it.
 */
struct ktstr_error *ktstr_template_take(const char *key, struct ktstr_template_hold *hold,
					bool *must_build) KTSTR_CHECKED;

/*
 * Leaves a mark that somebody wants the template of that key; *before: there was one, or it has been made. Marks are lock
 * files, and go with them.
 */
struct ktstr_error *ktstr_template_mark_wanted(const char *key, bool *before) KTSTR_CHECKED;

/*
 * A fresh directory to build in, with room for about need_mib checked (evicting others if that helps). *lock_fd holds
 * it: once closed, the directory counts as left behind by a dead builder.
 */
struct ktstr_error *ktstr_template_begin(const char *key, uint64_t need_mib, char **build_dir, int *lock_fd)
	KTSTR_CHECKED;
/*
 * Names the store as the cause of a failed build, while what was built is still there, if its file system is full: QEMU
 * is killed by SIGBUS then and says nothing. Takes error, NULL too.
 */
struct ktstr_error *ktstr_template_blame_store(struct ktstr_error *error) KTSTR_CHECKED;
/*
 * Writes meta.json with the checksum of `state` and publishes build_dir under hold; the lock becomes shared. The builder
 * keeps build_dir's lock until then.
 */
struct ktstr_error *ktstr_template_publish(const char *build_dir, const char *description,
					   struct ktstr_template_hold *hold) KTSTR_CHECKED;

/*
 * Keeps the store what it says it is: removes what killed builders have left, gives back what clones have filled of RAM
 * files, evicts down to the cap. Every command does it when it starts, and while tests run.
 */
void ktstr_template_tidy(void);
/*
 * Whether the store's file system has room for the holes that a clone may fill: without it the clone would be killed
 * (SIGBUS) in the middle of its test. Evicts others if that helps.
 */
struct ktstr_error *ktstr_template_check_room(const struct ktstr_template_hold *hold) KTSTR_CHECKED;

/* Removes idle templates, least recently used first, to free that much memory; false when nothing was freed. */
bool ktstr_template_shrink(uint64_t bytes);

struct ktstr_template_entry {
	char *key, *description;
	uint64_t used_bytes; /* memory that its files occupy */
	int64_t last_used_unix_seconds;
	bool in_use;
};
struct ktstr_error *ktstr_template_list(struct ktstr_template_entry **entries, size_t *count)
	KTSTR_CHECKED;
void ktstr_template_entries_free(struct ktstr_template_entry *entries, size_t count);
/* Removes the template whose key starts with prefix, all for NULL. *left counts those in use. */
struct ktstr_error *ktstr_template_drop(const char *prefix, size_t *dropped, size_t *left) KTSTR_CHECKED;

#endif
