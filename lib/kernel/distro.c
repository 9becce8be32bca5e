// SPDX-License-Identifier: GPL-2.0-only
/* Reads the offered kernels out of package names, and the make-up of one out of its Depends. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/distro.h"
#include "kernel/internal.h"

#define IMAGE_PREFIX "linux-image-"

/*
 * Suites with kernels that have sched_ext, in the order of preference: a backport is built for a
 * released system, sid moves daily. A suite that does not exist on the mirror (yet) is skipped.
 */
static const char *const suites[] = { "trixie-backports", "forky-backports", "sid" };

/* sched_ext was merged in 6.12. */
static const char oldest_version[] = "6.12";

void ktstr_offers_deinit(struct ktstr_offers *offers)
{
	for (size_t i = 0; i < offers->count; i++) {
		free(offers->items[i].version);
		free(offers->items[i].release);
	}
	free(offers->items);
	*offers = (struct ktstr_offers){ 0 };
}

/* The part of a release behind its ABI name: "7.3.4+deb13-cloud-amd64" -> "cloud-amd64". */
static const char *release_flavour(const char *release)
{
	const char *plus = strchr(release, '+');
	const char *dash = strchr(plus ? plus : release, '-');

	return dash ? dash + 1 : "";
}

bool ktstr_offer_parse(const char *package, const char *flavour, struct ktstr_offer *offer)
{
	bool plain = !strcmp(flavour, "amd64");
	_cleanup_free_ char *wanted = ktstr_xasprintf("%s%samd64", plain ? "" : flavour, plain ? "" : "-");
	_cleanup_free_ char *version = NULL;
	const char *release = package + strlen(IMAGE_PREFIX);

	if (!ktstr_str_starts_with(package, IMAGE_PREFIX) || !isdigit((unsigned char)*release) ||
	    strcmp(release_flavour(release), wanted))
		return false;
	version = ktstr_version_of_release(release);
	if (!strchr(version, '.') || ktstr_version_compare(version, oldest_version) < 0)
		return false;
	*offer = (struct ktstr_offer){ .version = ktstr_take(version),
				       .release = ktstr_xstrdup(release) };
	return true;
}

static bool has_version(const struct ktstr_offers *offers, const char *version)
{
	for (size_t i = 0; i < offers->count; i++)
		if (!strcmp(offers->items[i].version, version))
			return true;
	return false;
}

/* names: output of apt-cache pkgnames; cut to pieces. */
static void add_offers(char *names, const char *flavour, const char *suite,
		       struct ktstr_offers *offers)
{
	char *saved = NULL;

	for (char *name = strtok_r(names, "\n", &saved); name; name = strtok_r(NULL, "\n", &saved)) {
		struct ktstr_offer offer;

		if (!ktstr_offer_parse(name, flavour, &offer))
			continue;
		if (has_version(offers, offer.version)) {
			free(offer.version);
			free(offer.release);
			continue;
		}
		offer.suite = suite;
		offers->items = ktstr_xrealloc(offers->items,
					       (offers->count + 1) * sizeof(*offers->items));
		offers->items[offers->count++] = offer;
	}
}

static int newest_first(const void *a, const void *b)
{
	const struct ktstr_offer *left = a, *right = b;

	return ktstr_version_compare(right->version, left->version);
}

struct ktstr_error *ktstr_offers_read(const struct ktstr_apt *apt, const char *flavour,
				      const char *until, uint64_t max_age_s,
				      const struct ktstr_progress *progress,
				      struct ktstr_offers *offers)
{
	static const char *const arguments[] = { "pkgnames", IMAGE_PREFIX, NULL };

	*offers = (struct ktstr_offers){ 0 };
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		_cleanup_free_ char *names = NULL;
		bool absent;

		KTSTR_TRY(ktstr_apt_refresh(apt, suites[i], max_age_s, progress, &absent));
		if (absent)
			continue;
		KTSTR_TRY(ktstr_apt_cache(apt, suites[i], arguments, &names));
		add_offers(names, flavour, suites[i], offers);
		if (until && ktstr_offers_find(offers, until))
			break;
	}
	if (offers->count)
		qsort(offers->items, offers->count, sizeof(*offers->items), newest_first);
	return NULL;
}

const struct ktstr_offer *ktstr_offers_find(const struct ktstr_offers *offers, const char *spec)
{
	const struct ktstr_offer *found = NULL;

	for (size_t i = 0; i < offers->count; i++) {
		const struct ktstr_offer *offer = &offers->items[i];

		if (strcmp(spec, "latest") && !ktstr_version_in_series(offer->version, spec))
			continue;
		if (!found || ktstr_version_compare(offer->version, found->version) > 0)
			found = offer;
	}
	return found;
}

char *ktstr_offers_summary(const struct ktstr_offers *offers)
{
	_cleanup_free_ char *previous = NULL;
	struct ktstr_str text = { 0 };

	for (size_t i = 0; i < offers->count; i++) {
		char *series = ktstr_version_series(offers->items[i].version);

		if (!previous || strcmp(series, previous))
			ktstr_str_addf(&text, "%s%s", text.length ? ", " : "",
				       offers->items[i].version);
		free(previous);
		previous = series;
	}
	return ktstr_str_take(&text);
}

void ktstr_package_set_deinit(struct ktstr_package_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		ktstr_apt_package_deinit(&set->items[i]);
	set->count = 0;
}

/* Whether `depends` names package name, not merely a longer name that begins or ends with it. */
static bool depends_on(const char *depends, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = strstr(depends, name); at; at = strstr(at + 1, name)) {
		char before = at == depends ? ' ' : at[-1], after = at[length];

		if ((before == ' ' || before == ',') && (!after || strchr(" ,(:", after)))
			return true;
	}
	return false;
}

struct ktstr_error *ktstr_offer_packages(const struct ktstr_apt *apt,
					 const struct ktstr_offer *offer,
					 struct ktstr_package_set *set)
{
	static const char *const parts[] = { "binary", "base", "modules" };
	_cleanup_free_ char *image = ktstr_xasprintf(IMAGE_PREFIX "%s", offer->release);

	*set = (struct ktstr_package_set){ 0 };
	KTSTR_TRY(ktstr_apt_show(apt, offer->suite, image, &set->items[0]));
	set->count = 1;
	/* A split image's first package is an empty shell, but a small one: it need not be told apart. */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		_cleanup_free_ char *part = ktstr_xasprintf("linux-%s-%s", parts[i], offer->release);

		if (!depends_on(set->items[0].depends, part))
			continue;
		KTSTR_TRY(ktstr_apt_show(apt, offer->suite, part, &set->items[set->count]));
		set->count++;
	}
	return NULL;
}
