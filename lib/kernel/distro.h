/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernels that Debian's suites offer, and the packages that make one up. */
#ifndef KTSTR_KERNEL_DISTRO_H
#define KTSTR_KERNEL_DISTRO_H

#include "kernel/apt.h"

/* One offered kernel. */
struct ktstr_offer {
	char *version;     /* "7.3.4" */
	char *release;     /* "7.3.4+deb13-cloud-amd64" */
	const char *suite; /* static */
};

struct ktstr_offers {
	struct ktstr_offer *items; /* newest first, each version once */
	size_t count;
};

/*
 * All kernels of the flavour. until: when not NULL, suites behind the first one that has a version
 * in this series are not asked. max_age_s as in ktstr_apt_refresh().
 */
struct ktstr_error *ktstr_offers_read(const struct ktstr_apt *apt, const char *flavour,
				      const char *until, uint64_t max_age_s,
				      const struct ktstr_progress *progress,
				      struct ktstr_offers *offers) KTSTR_CHECKED;
void ktstr_offers_deinit(struct ktstr_offers *offers);
#define _cleanup_offers_ _cleanup_(ktstr_offers_deinit)
/* The newest that spec ("7.3", "7.3.4", "latest") names, NULL when there is none. */
const struct ktstr_offer *ktstr_offers_find(const struct ktstr_offers *offers, const char *spec);
/* "7.3.4, 7.2.12, ...": the newest of each series, for messages. Heap. */
char *ktstr_offers_summary(const struct ktstr_offers *offers);

/* Packages that hold image, config and modules, found by their dependencies. */
struct ktstr_package_set {
	struct ktstr_apt_package items[4];
	size_t count;
};

struct ktstr_error *ktstr_offer_packages(const struct ktstr_apt *apt,
					 const struct ktstr_offer *offer,
					 struct ktstr_package_set *set) KTSTR_CHECKED;
void ktstr_package_set_deinit(struct ktstr_package_set *set);
#define _cleanup_package_set_ _cleanup_(ktstr_package_set_deinit)

/* "linux-image-7.3.4+deb13-rt-amd64" of flavour "rt" -> version and release; false for others. */
bool ktstr_offer_parse(const char *package, const char *flavour, struct ktstr_offer *offer);
/* depends: of the image's package; names: all packages of the suite. */
bool ktstr_offer_is_complete(const char *release, const char *depends,
			     const struct ktstr_strv *names);

#endif
