// SPDX-License-Identifier: GPL-2.0-only
/* Columns of values over samples: their life. */
#include <stdlib.h>
#include <string.h>

#include "ktstr/series.h"

#define DEFINE_DEINIT(name, value_type)                                                                                \
	void ktstr_series_##name##_deinit(struct ktstr_series_##name *series)                                          \
	{                                                                                                              \
		for (size_t i = 0; series->errors && i < series->count; i++)                                           \
			free(series->errors[i]);                                                                       \
		free(series->label);                                                                                   \
		free((void *)series->tags);                                                                            \
		free(series->elapsed_ms);                                                                              \
		free(series->values);                                                                                  \
		free(series->errors);                                                                                  \
		free(series->phases);                                                                                  \
		memset(series, 0, sizeof(*series));                                                                    \
	}

KTSTR_SERIES_TYPES(DEFINE_DEINIT)
