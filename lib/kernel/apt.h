/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * apt in a private root below <cache>/apt, one a suite: own sources, lists, cache and (empty) dpkg
 * status. Shares with the host only its mirror, its keys, its proxy and login settings.
 */
#ifndef KTSTR_KERNEL_APT_H
#define KTSTR_KERNEL_APT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "kernel/sources.h"
#include "base/str.h"

struct ktstr_apt {
	char *root;
	struct ktstr_apt_source source;
	int lock_fd; /* held from open to close: one user of the root at a time */
};

struct ktstr_error *ktstr_apt_open(struct ktstr_apt *apt) KTSTR_CHECKED;
void ktstr_apt_close(struct ktstr_apt *apt);
#define _cleanup_apt_ _cleanup_(ktstr_apt_close)

/*
 * Makes the suite's lists at most max_age_s old (UINT64_MAX: never asks the mirror); absent is set
 * when the mirror does not have the suite, or when its lists were never fetched and may not be now.
 * Stale lists are kept when the mirror cannot be reached.
 */
struct ktstr_error *ktstr_apt_refresh(const struct ktstr_apt *apt, const char *suite,
				      uint64_t max_age_s, const struct ktstr_progress *progress,
				      bool *absent) KTSTR_CHECKED;
/* Output of `apt-cache <verb> <argument>...`. arguments is NULL-terminated. */
struct ktstr_error *ktstr_apt_cache(const struct ktstr_apt *apt, const char *suite,
				    const char *const *arguments, char **out) KTSTR_CHECKED;

/* Value of "Name: value" in the stanza of one package, heap; NULL when it has no such field. */
char *ktstr_apt_field(const char *stanza, const char *name);

struct ktstr_apt_package {
	char *name;
	char *version;
	char *depends; /* "" when there are none */
	uint64_t size; /* bytes of the .deb */
	uint64_t installed_kib;
};

/* The newest version that the suite has. */
struct ktstr_error *ktstr_apt_show(const struct ktstr_apt *apt, const char *suite, const char *name,
				   struct ktstr_apt_package *package) KTSTR_CHECKED;
void ktstr_apt_package_deinit(struct ktstr_apt_package *package);
#define _cleanup_package_ _cleanup_(ktstr_apt_package_deinit)
/* Downloads the packages, signatures and checksums verified by apt, as .deb files into dir. */
struct ktstr_error *ktstr_apt_download(const struct ktstr_apt *apt, const char *suite,
				       const struct ktstr_apt_package *packages, size_t count,
				       const char *dir,
				       const struct ktstr_progress *progress) KTSTR_CHECKED;

#endif
