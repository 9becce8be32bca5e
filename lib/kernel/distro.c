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

/*
 * Packages "linux-<part>-<release>" that a split image depends on. Newer images are split, older ones
 * are not; their dependencies tell.
 */
static const char *const parts[] = { "binary", "base", "modules" };

enum { PART_COUNT = sizeof(parts) / sizeof(parts[0]) };

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
	_cleanup_free_ char *wanted =
		ktstr_xasprintf("%s%samd64", plain ? "" : flavour, plain ? "" : "-");
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

/*
 * Whether every part that the image's package depends on is still there. The archive drops the parts
 * of an old kernel before its (separately signed) image, which then is of no use.
 */
bool ktstr_offer_is_complete(const char *release, const char *depends,
			     const struct ktstr_strv *names)
{
	for (size_t i = 0; i < PART_COUNT; i++) {
		_cleanup_free_ char *part = ktstr_xasprintf("linux-%s-%s", parts[i], release);

		if (depends_on(depends, part) && !ktstr_strv_contains(names, part))
			return false;
	}
	return true;
}

static void add_offer(struct ktstr_offers *offers, struct ktstr_offer *offer)
{
	if (has_version(offers, offer->version)) {
		free(offer->version);
		free(offer->release);
		return;
	}
	offers->items = ktstr_xrealloc(offers->items, (offers->count + 1) * sizeof(*offers->items));
	offers->items[offers->count++] = *offer;
}

/* stanza: what apt-cache show says about one image package. */
static void add_complete(const char *stanza, const char *flavour, const char *suite,
			 const struct ktstr_strv *names, struct ktstr_offers *offers)
{
	_cleanup_free_ char *package = ktstr_apt_field(stanza, "Package");
	_cleanup_free_ char *depends = ktstr_apt_field(stanza, "Depends");
	struct ktstr_offer offer;

	if (!package || !ktstr_offer_parse(package, flavour, &offer))
		return;
	offer.suite = suite;
	if (ktstr_offer_is_complete(offer.release, depends ? depends : "", names)) {
		add_offer(offers, &offer);
		return;
	}
	free(offer.version);
	free(offer.release);
}

static struct ktstr_error *read_names(const struct ktstr_apt *apt, const char *suite,
				      struct ktstr_strv *names)
{
	static const char *const arguments[] = { "pkgnames", "linux-", NULL };
	_cleanup_free_ char *text = NULL;
	char *saved = NULL;

	KTSTR_TRY(ktstr_apt_cache(apt, suite, arguments, &text));
	for (char *name = strtok_r(text, "\n", &saved); name; name = strtok_r(NULL, "\n", &saved))
		ktstr_strv_add(names, name);
	return NULL;
}

static struct ktstr_error *read_suite(const struct ktstr_apt *apt, const char *suite,
				      const char *flavour, struct ktstr_offers *offers)
{
	_cleanup_strv_ struct ktstr_strv names = { 0 }, query = { 0 };
	_cleanup_free_ char *text = NULL;
	char *end;

	KTSTR_TRY(read_names(apt, suite, &names));
	ktstr_strv_add(&query, "show");
	ktstr_strv_add(&query, "--no-all-versions");
	for (size_t i = 0; i < names.count; i++) {
		struct ktstr_offer offer;

		if (!ktstr_offer_parse(names.items[i], flavour, &offer))
			continue;
		ktstr_strv_add(&query, names.items[i]);
		free(offer.version);
		free(offer.release);
	}
	if (query.count == 2)
		return NULL;
	KTSTR_TRY(ktstr_apt_cache(apt, suite, (const char *const *)query.items, &text));
	for (char *stanza = text; stanza; stanza = end ? end + 2 : NULL) {
		end = strstr(stanza, "\n\n");
		if (end)
			*end = '\0';
		add_complete(stanza, flavour, suite, &names, offers);
	}
	return NULL;
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
	*offers = (struct ktstr_offers){ 0 };
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		bool absent;

		KTSTR_TRY(ktstr_apt_refresh(apt, suites[i], max_age_s, progress, &absent));
		if (absent)
			continue;
		KTSTR_TRY(read_suite(apt, suites[i], flavour, offers));
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

struct ktstr_error *ktstr_offer_packages(const struct ktstr_apt *apt,
					 const struct ktstr_offer *offer,
					 struct ktstr_package_set *set)
{
	_cleanup_free_ char *image = ktstr_xasprintf(IMAGE_PREFIX "%s", offer->release);

	*set = (struct ktstr_package_set){ 0 };
	KTSTR_TRY(ktstr_apt_show(apt, offer->suite, image, &set->items[0]));
	set->count = 1;
	/* A split image's first package is an empty shell, but a small one: it need not be told
	 * apart. */
	for (size_t i = 0; i < PART_COUNT; i++) {
		_cleanup_free_ char *part =
			ktstr_xasprintf("linux-%s-%s", parts[i], offer->release);

		if (!depends_on(set->items[0].depends, part))
			continue;
		KTSTR_TRY(ktstr_apt_show(apt, offer->suite, part, &set->items[set->count]));
		set->count++;
	}
	return NULL;
}
