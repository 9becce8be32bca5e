// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads apt's two source formats (sources.list(5): one-line and deb822) far enough to find the
 * entry that serves Debian's main archive. No mirror is named in this program: the machine knows
 * its own.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/sources.h"

/* One entry, whichever format it came from. Lists are separated by blanks. */
struct entry {
	struct ktstr_str types, uris, suites, components, signed_by, options;
	bool disabled;
};

static void entry_deinit(struct entry *entry)
{
	ktstr_str_deinit(&entry->types);
	ktstr_str_deinit(&entry->uris);
	ktstr_str_deinit(&entry->suites);
	ktstr_str_deinit(&entry->components);
	ktstr_str_deinit(&entry->signed_by);
	ktstr_str_deinit(&entry->options);
	entry->disabled = false;
}

void ktstr_apt_source_deinit(struct ktstr_apt_source *source)
{
	free(source->uri);
	free(source->signed_by);
	free(source->options);
	free(source->origin);
	*source = (struct ktstr_apt_source){ 0 };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Calls found() for each blank-separated word until it returns true; that is returned. */
static bool any_word(const char *text, bool (*found)(const char *word))
{
	_cleanup_free_ char *copy = ktstr_xstrdup(text);
	char *saved = NULL;

	for (char *word = strtok_r(copy, " \t\r\n", &saved); word;
	     word = strtok_r(NULL, " \t\r\n", &saved))
		if (found(word))
			return true;
	return false;
}

static bool is_deb(const char *word)
{
	return !strcmp(word, "deb");
}

static bool is_main(const char *word)
{
	return !strcmp(word, "main");
}

/* The codename of the word's suite, its pockets of the same archive included, but not -security. */
static bool is_debian_suite(const char *word)
{
	static const char *const names[] = { "bullseye", "bookworm", "trixie",      "forky",
					     "duke",     "sid",      "oldstable",   "stable",
					     "testing",  "unstable", "experimental" };
	static const char *const pockets[] = { "", "-updates", "-backports", "-proposed-updates" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t j = 0; j < sizeof(pockets) / sizeof(pockets[0]); j++)
			if (ktstr_str_starts_with(word, names[i]) &&
			    !strcmp(word + strlen(names[i]), pockets[j]))
				return true;
	return false;
}

static char *first_word(const char *text)
{
	size_t start = strspn(text, " \t\r\n");

	return ktstr_xstrndup(text + start, strcspn(text + start, " \t\r\n"));
}

/*
 * Other vendors publish for Debian's codenames with a component "main", too. The path "/debian" of
 * the archive and the archive's own keyring tell it from those; neither is required, as a private
 * mirror may have any path.
 */
static int score_entry(const struct entry *entry, const char *uri)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/", uri);
	int score = 1;

	if (entry->disabled || !*uri || !any_word(ktstr_str_text(&entry->types), is_deb) ||
	    !any_word(ktstr_str_text(&entry->suites), is_debian_suite) ||
	    !any_word(ktstr_str_text(&entry->components), is_main))
		return 0;
	if (ktstr_str_ends_with(uri, "/debian") || ktstr_str_ends_with(uri, "/debian/"))
		score += 8;
	else if (strstr(path, "/debian/"))
		score += 2;
	if (strstr(ktstr_str_text(&entry->signed_by), "debian-archive"))
		score += 4;
	return score;
}

static void consider(const struct entry *entry, const char *file, struct ktstr_apt_source *best)
{
	_cleanup_free_ char *uri = first_word(ktstr_str_text(&entry->uris));
	int score = score_entry(entry, uri);

	if (score <= best->score)
		return;
	ktstr_apt_source_deinit(best);
	*best = (struct ktstr_apt_source){
		.uri = ktstr_take(uri),
		.signed_by = entry->signed_by.length ?
				     ktstr_xstrdup(ktstr_str_text(&entry->signed_by)) :
				     NULL,
		.options = ktstr_xstrdup(ktstr_str_text(&entry->options)),
		.origin = ktstr_xstrdup(file),
		.score = score,
	};
}

/* name: of either format ("Signed-By", "signed-by"); value: without surrounding blanks. */
static void set_field(struct entry *entry, const char *name, const char *value)
{
	if (!strcasecmp(name, "Types"))
		ktstr_str_add(&entry->types, value);
	else if (!strcasecmp(name, "URIs"))
		ktstr_str_add(&entry->uris, value);
	else if (!strcasecmp(name, "Suites"))
		ktstr_str_add(&entry->suites, value);
	else if (!strcasecmp(name, "Components"))
		ktstr_str_add(&entry->components, value);
	else if (!strcasecmp(name, "Signed-By"))
		ktstr_str_add(&entry->signed_by, value);
	else if (!strcasecmp(name, "Enabled"))
		entry->disabled = !strcasecmp(value, "no") || !strcasecmp(value, "false");
	else if (!strcasecmp(name, "Trusted") || !strcasecmp(name, "Check-Valid-Until"))
		ktstr_str_addf(&entry->options, "%s: %s\n", name, value);
}

/* Ends the line at its newline and returns the beginning of the next, NULL at the end. */
static char *split_line(char *line)
{
	char *newline = strchr(line, '\n');

	if (!newline)
		return NULL;
	*newline = '\0';
	return newline + 1;
}

static void strip_end(char *text)
{
	for (size_t length = strlen(text); length && is_blank(text[length - 1]); length--)
		text[length - 1] = '\0';
}

/* text is cut to pieces. */
static void parse_deb822(char *text, const char *file, struct ktstr_apt_source *best)
{
	_cleanup_(entry_deinit) struct entry entry = { 0 };
	_cleanup_str_ struct ktstr_str value = { 0 };
	_cleanup_free_ char *name = NULL;

	for (char *line = text, *next; line; line = next) {
		char *colon;

		next = split_line(line);
		strip_end(line);
		if (*line == '#')
			continue;
		/* A continuation belongs to the field above; its leading blank is part of a key
		 * block. */
		if (is_blank(*line) && name) {
			ktstr_str_addf(&value, "\n%s", line);
			continue;
		}
		if (name)
			set_field(&entry, name, ktstr_str_text(&value));
		free(ktstr_take(name));
		ktstr_str_deinit(&value);
		colon = strchr(line, ':');
		if (!*line) {
			consider(&entry, file, best);
			entry_deinit(&entry);
		} else if (colon) {
			name = ktstr_xstrndup(line, (size_t)(colon - line));
			ktstr_str_add(&value, colon + 1 + strspn(colon + 1, " \t"));
		}
	}
	if (name)
		set_field(&entry, name, ktstr_str_text(&value));
	consider(&entry, file, best);
}

/* "arch=amd64 signed-by=/a,/b" of the brackets of a one-line entry. */
static void parse_options(char *options, struct entry *entry)
{
	char *saved = NULL;

	for (char *word = strtok_r(options, " \t", &saved); word;
	     word = strtok_r(NULL, " \t", &saved)) {
		char *equals = strchr(word, '=');

		if (!equals)
			continue;
		*equals = '\0';
		/* Several keyrings: commas here, blanks in deb822. */
		for (char *c = equals + 1; *c; c++)
			if (*c == ',')
				*c = ' ';
		set_field(entry, word, equals + 1);
	}
}

/* deb [options] uri suite component... */
static void parse_one_line(char *line, const char *file, struct ktstr_apt_source *best)
{
	_cleanup_(entry_deinit) struct entry entry = { 0 };
	char *cursor = line, *type, *uri, *suite;

	line[strcspn(line, "#")] = '\0';
	cursor += strspn(cursor, " \t");
	type = strsep(&cursor, " \t");
	if (!cursor)
		return;
	cursor += strspn(cursor, " \t");
	if (*cursor == '[') {
		char *options = cursor + 1, *end = strchr(cursor, ']');

		if (!end)
			return;
		*end = '\0';
		parse_options(options, &entry);
		cursor = end + 1 + strspn(end + 1, " \t");
	}
	uri = strsep(&cursor, " \t");
	if (!cursor)
		return;
	cursor += strspn(cursor, " \t");
	suite = strsep(&cursor, " \t");
	if (!cursor)
		return;
	set_field(&entry, "Types", type);
	set_field(&entry, "URIs", uri);
	set_field(&entry, "Suites", suite);
	set_field(&entry, "Components", cursor);
	consider(&entry, file, best);
}

static void parse_file(const char *path, struct ktstr_apt_source *best)
{
	_cleanup_error_ struct ktstr_error *error = NULL;
	_cleanup_free_ char *text = NULL;

	/* apt itself skips what it may not read; another file can still have the entry. */
	error = ktstr_read_file(path, &text, NULL);
	if (error)
		return;
	if (ktstr_str_ends_with(path, ".sources")) {
		parse_deb822(text, path, best);
		return;
	}
	for (char *line = text, *next; line; line = next) {
		next = split_line(line);
		parse_one_line(line, path, best);
	}
}

static int is_source_file(const struct dirent *entry)
{
	return ktstr_str_ends_with(entry->d_name, ".sources") ||
	       ktstr_str_ends_with(entry->d_name, ".list");
}

struct ktstr_error *ktstr_apt_find_source(const char *etc_apt, struct ktstr_apt_source *source)
{
	_cleanup_free_ char *main_list = ktstr_xasprintf("%s/sources.list", etc_apt);
	_cleanup_free_ char *parts = ktstr_xasprintf("%s/sources.list.d", etc_apt);
	struct dirent **names = NULL;
	int count;

	*source = (struct ktstr_apt_source){ 0 };
	parse_file(main_list, source);
	count = scandir(parts, &names, is_source_file, alphasort);
	for (int i = 0; i < count; i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", parts, names[i]->d_name);

		parse_file(path, source);
		free(names[i]);
	}
	free(names);
	if (source->score)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
			       "no Debian mirror in %s/sources.list or sources.list.d: add a "
			       "source with suite trixie and component main (`man sources.list`), "
			       "or name a kernel image or built tree by its path",
			       etc_apt);
}
