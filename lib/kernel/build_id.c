// SPDX-License-Identifier: GPL-2.0-only
/* Finds the note of the build ID among an ELF file's sections; see build_id.h. */
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "kernel/build_id.h"

KTSTR_DEFINE_CLEANUP(Elf *, cleanup_elf, elf_end)

static char *hex(const unsigned char *id)
{
	char *text = ktstr_xcalloc(KTSTR_BUILD_ID_BYTES, 2 + 1);

	for (size_t i = 0; i < KTSTR_BUILD_ID_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	return text;
}

static char *id_among(Elf_Data *notes)
{
	size_t name, content;
	GElf_Nhdr note;

	for (size_t at = 0; notes && (at = gelf_getnote(notes, at, &note, &name, &content)) > 0;)
		if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz == KTSTR_BUILD_ID_BYTES &&
		    note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp((const char *)notes->d_buf + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)))
			return hex((const unsigned char *)notes->d_buf + content);
	return NULL;
}

char *ktstr_build_id(const char *elf_path)
{
	_cleanup_close_ int fd = open(elf_path, O_RDONLY | O_CLOEXEC);
	_cleanup_(cleanup_elf) Elf *elf = NULL;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	elf_version(EV_CURRENT);
	elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	while (elf && (section = elf_nextscn(elf, section))) {
		char *id = NULL;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE)
			id = id_among(elf_getdata(section, NULL));
		if (id)
			return id;
	}
	return NULL;
}
