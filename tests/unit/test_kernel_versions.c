// SPDX-License-Identifier: GPL-2.0-only
/* Versions of kernels in their order, what a mirror offers, and which mirror that is. */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "kernel/distro.h"
#include "kernel/sources.h"
#include "kernel_fixture.h"

/* --- versions --- */

static void versions_are_ordered_by_number(void **state)
{
	static const char *const ascending[] = { "6.1",      "6.2",       "6.12", "6.16-rc1",
						 "6.16-rc2", "6.16-rc10", "6.16", "6.16.3",
						 "6.16.12",  "7.3-rc2",   "7.3",  "7.3.1",
						 "7.3.4",    "7.3.4-rt",  "7.10" };
	size_t count = sizeof(ascending) / sizeof(ascending[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			int order = ktstr_version_compare(ascending[i], ascending[j]);

			if ((order < 0) != (i < j) || (order > 0) != (i > j))
				fail_msg("%s against %s gives %d", ascending[i], ascending[j],
					 order);
		}
}

static void series_end_at_a_dot(void **state)
{
	static const struct {
		const char *version, *series;
		bool in;
	} cases[] = {
		{ "6.16.12", "6.16", true }, { "6.16", "6.16", true },	{ "7.3-rc2", "7.3", true }, { "7.3.4", "7", true },
		{ "6.16.12", "6.1", false }, { "6.160", "6.16", false }, { "6.1", "6.16", false },  { "6.1", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ktstr_version_in_series(cases[i].version, cases[i].series) != cases[i].in)
			fail_msg("%s in %s: %d", cases[i].version, cases[i].series, !cases[i].in);
}

static void releases_hold_versions(void **state)
{
	static const char *const pairs[][2] = { { "7.3.4+deb13-cloud-amd64", "7.3.4" },
						{ "6.18.0-rc2-g1234abc", "6.18.0-rc2" },
						{ "6.12.0-virtme", "6.12.0" },
						{ "7.3", "7.3" },
						{ "nonsense", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		_cleanup_free_ char *version = ktstr_version_of_release(pairs[i][0]);

		assert_string_equal(version, pairs[i][1]);
	}
}

static void specs_name_flavours(void **state)
{
	static const char *const cases[][3] = { { "7.3", "7.3", "cloud" },
						{ "7.3-rt", "7.3", "rt" },
						{ "7.3-rc2", "7.3-rc2", "cloud" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *version = NULL;
		const char *flavour;

		ktstr_spec_split(cases[i][0], &version, &flavour);
		assert_string_equal(version, cases[i][1]);
		assert_string_equal(flavour, cases[i][2]);
	}
}

static void package_names_are_told_apart(void **state)
{
	static const struct {
		const char *package, *flavour, *version;
	} cases[] = {
		{ "linux-image-7.3.4+deb13-cloud-amd64", "cloud", "7.3.4" },
		{ "linux-image-7.3.4+deb13-cloud-amd64", "amd64", NULL },
		{ "linux-image-7.3.4+deb13-amd64", "amd64", "7.3.4" },
		{ "linux-image-7.3.4+deb13-amd64", "cloud", NULL },
		{ "linux-image-7.3.4+deb13-rt-amd64", "rt", "7.3.4" },
		{ "linux-image-7.3.4+deb13-cloud-amd64-dbg", "cloud", NULL },
		{ "linux-image-cloud-amd64", "cloud", NULL },
		{ "linux-headers-7.3.4+deb13-cloud-amd64", "cloud", NULL },
		{ "linux-image-6.1.0-9-cloud-amd64", "cloud", NULL },
		{ "linux-image-6.11.9+deb13-cloud-amd64", "cloud", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_offer offer = { 0 };
		bool taken = ktstr_offer_parse(cases[i].package, cases[i].flavour, &offer);

		if (taken != !!cases[i].version)
			fail_msg("%s as %s: %d", cases[i].package, cases[i].flavour, taken);
		if (taken)
			assert_string_equal(offer.version, cases[i].version);
		free(offer.version);
		free(offer.release);
	}
}

static void images_without_their_parts_are_no_offer(void **state)
{
	static const char release[] = "7.0.13+deb13-amd64";
	static const char depends[] = "dracut | x, linux-base-7.0.13+deb13-amd64 (= 7), "
				      "linux-binary-7.0.13+deb13-amd64 (= 7),"
				      "linux-modules-7.0.13+deb13-amd64";
	_cleanup_strv_ struct ktstr_strv names = { 0 };

	(void)state;
	assert_true(ktstr_offer_is_complete(release, "initramfs-tools, linux-base (>= 4)", &names));
	/* Longer names are other packages. */
	assert_true(ktstr_offer_is_complete(release, "linux-base-7.0.13+deb13-amd64-dbg", &names));
	ktstr_strv_add(&names, "linux-base-7.0.13+deb13-amd64");
	ktstr_strv_add(&names, "linux-binary-7.0.13+deb13-amd64");
	ktstr_strv_add(&names, "linux-modules-7.0.13+deb13-amd64-dbg");
	assert_false(ktstr_offer_is_complete(release, depends, &names));
	ktstr_strv_add(&names, "linux-modules-7.0.13+deb13-amd64");
	assert_true(ktstr_offer_is_complete(release, depends, &names));
}

/* --- apt sources --- */

static void deb822_source_is_found(void **state)
{
	_cleanup_(ktstr_apt_source_deinit) struct ktstr_apt_source source = { 0 };

	(void)state;
	put("etc/sources.list.d/debian.sources",
		 "Types: deb\n# comment: not a field\nURIs: http://mirror.test/debian-security\n"
		 "Suites: bookworm-security\nComponents: main\n\n"
		 "types: deb deb-src\nURIs:\n http://mirror.test/debian\nSuites: bookworm "
		 "bookworm-updates\n"
		 "Components: main contrib\nCheck-Valid-Until: no\nSigned-By:\n -----BEGIN\n .\n "
		 "key\n\n"
		 "Types: deb\nURIs: http://off.test/debian\nSuites: trixie\nComponents: main\n"
		 "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\nEnabled: no\n");
	put("etc/sources.list.d/vendor.sources",
		 "Types: deb\nURIs: http://vendor.test/linux/debian\nSuites: bookworm\nComponents: "
		 "stable\n");
	_cleanup_free_ char *etc = ktstr_xasprintf("%s/etc", scratch);

	assert_ok(ktstr_apt_find_source(etc, &source));
	assert_string_equal(source.uri, "http://mirror.test/debian");
	assert_string_equal(source.signed_by, "\n -----BEGIN\n .\n key");
	assert_string_equal(source.options, "Check-Valid-Until: no\n");
}

static void one_line_source_is_found(void **state)
{
	_cleanup_(ktstr_apt_source_deinit) struct ktstr_apt_source source = { 0 };
	_cleanup_free_ char *etc = ktstr_xasprintf("%s/one", scratch);

	(void)state;
	put("one/sources.list", "# deb http://commented.test/debian trixie main\n"
				     "deb [signed-by=/v.gpg] http://vendor.test/apt stable main\n"
				     "deb http://mirror.test/debian-security trixie-security main\n"
				     "deb-src http://source.test/debian trixie main\n"
				     "deb\t[ arch=amd64  signed-by=/a.gpg,/b.gpg ]  "
				     "http://mirror.test/debian/  trixie  contrib main # end\n"
				     "deb [ broken\ndeb\ndeb http://short.test/debian\n");
	assert_ok(ktstr_apt_find_source(etc, &source));
	assert_string_equal(source.uri, "http://mirror.test/debian/");
	assert_string_equal(source.signed_by, "/a.gpg /b.gpg");
}

static void missing_source_says_what_to_do(void **state)
{
	_cleanup_(ktstr_apt_source_deinit) struct ktstr_apt_source source = { 0 };
	_cleanup_free_ char *etc = ktstr_xasprintf("%s/none", scratch);

	(void)state;
	put("none/sources.list", "deb http://archive.test/ubuntu noble main\n");
	assert_fails(ktstr_apt_find_source(etc, &source), KTSTR_ERR_NOT_FOUND,
		     "add a source with suite");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_ordered_by_number),
		cmocka_unit_test(series_end_at_a_dot),
		cmocka_unit_test(releases_hold_versions),
		cmocka_unit_test(specs_name_flavours),
		cmocka_unit_test(package_names_are_told_apart),
		cmocka_unit_test(images_without_their_parts_are_no_offer),
		IN_CACHE(deb822_source_is_found),
		IN_CACHE(one_line_source_is_found),
		IN_CACHE(missing_source_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
