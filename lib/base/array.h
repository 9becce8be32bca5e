/* SPDX-License-Identifier: GPL-2.0-only */
/* How many elements an array has. */
#ifndef KTSTR_BASE_ARRAY_H
#define KTSTR_BASE_ARRAY_H

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
