# SPDX-License-Identifier: GPL-2.0-only
# ktstr as a user has it: installed under a prefix, found through pkg-config, with test programs that are built
# outside this tree (and examples/, when there).
load ../lib/common

# Installed as it was built, into a directory that it was not configured for.
setup_file() {
	local pc
	DESTDIR=$BATS_FILE_TMPDIR/moved meson install -C "$KTSTR_TEST_BUILD" --no-rebuild >"$BATS_FILE_TMPDIR/log" 2>&1 || {
		tail -n 20 "$BATS_FILE_TMPDIR/log"
		return 1
	}
	pc=$(find "$BATS_FILE_TMPDIR/moved" -name ktstr.pc -printf %h)
	PREFIX=$(realpath "$(pkg-config --variable prefix "$pc/ktstr.pc")")
	export PREFIX PKG_CONFIG_PATH=$pc PATH=$PREFIX/bin:$PATH
	LD_LIBRARY_PATH=$(pkg-config --variable libdir ktstr)
	export LD_LIBRARY_PATH
}

flags() {
	pkg-config --cflags --libs ktstr
}

write_program() { # FILE
	cat >"$1" <<-'END'
		#include <ktstr.h>

		KTSTR_SCHEDULER(fixture, .binary = "scx_ktstr", .topology = { .llcs = 2, .cores_per_llc = 1 });

		KTSTR_TEST(mine, .scheduler = &fixture, .duration = KTSTR_SEC(1),
			   .checks = { .not_stuck = true, .max_spread_pct = KTSTR_SOME(60.0) })
		{
			ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "a", .work = KTSTR_WORK(SPIN_WAIT) }));
			KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, eq, 2);
		}
	END
}

@test "a program outside the tree builds with pkg-config, passes, and says where its scheduler came from" {
	write_program "$BATS_TEST_TMPDIR/mine.c"
	# shellcheck disable=SC2046
	cc -std=gnu17 -Wall -Wextra -Wno-missing-field-initializers -Werror -o "$BATS_TEST_TMPDIR/mine" \
		"$BATS_TEST_TMPDIR/mine.c" $(flags)
	run -0 ktstr list "$BATS_TEST_TMPDIR/mine"
	contains "ktstr/mine" "$output"
	contains 1n2l1c1t "$output"
	run -0 --separate-stderr ktstr test --json "$BATS_TEST_TMPDIR/mine"
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" mine pass
	[ "$(result "$BATS_TEST_TMPDIR/out" mine scheduler_binary)" = "$PREFIX/bin/scx_ktstr" ]
}

@test "the installed program hands over to the installed ktstr" {
	write_program "$BATS_TEST_TMPDIR/mine.c"
	# shellcheck disable=SC2046
	cc -o "$BATS_TEST_TMPDIR/mine" "$BATS_TEST_TMPDIR/mine.c" $(flags)
	run -0 "$BATS_TEST_TMPDIR/mine" --list
	[ "$output" = "ktstr/mine: test" ]
}

@test "the headers compile by themselves, one by one, also with clang" {
	local header compiler
	for compiler in cc clang; do
		for header in "$PREFIX"/include/ktstr.h "$PREFIX"/include/ktstr/*.h; do
			echo "#include \"$header\"" |
				$compiler -std=gnu17 -Wall -Wextra -Werror -fsyntax-only -I"$PREFIX/include" -x c - || {
				echo "$compiler $header"
				return 1
			}
		done
	done
}

@test "mistakes in a declaration do not compile" {
	local line
	# shellcheck disable=SC2046
	while read -r line; do
		printf '#include <ktstr.h>\nKTSTR_TEST(t)\n{\n%s\n}\n' "$line" >"$BATS_TEST_TMPDIR/wrong.c"
		! cc -std=gnu17 -Wall -Werror -fsyntax-only $(pkg-config --cflags ktstr) "$BATS_TEST_TMPDIR/wrong.c" 2>/dev/null || {
			echo "compiles: $line"
			return 1
		}
	done <<-'END'
		ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "a", .work = KTSTR_WORK(NO_SUCH_WORK) }));
		ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "a", .work = KTSTR_WORK(SPIN_WAIT, .burst = 1) }));
		ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .nmae = "a" }));
		KTSTR_CLAIM(ctx, 1, near_enough, 2);
		ktstr_fail(ctx, "%s", 3);
	END
}

@test "the example builds outside the tree with make and with meson, and passes" {
	local copy=$BATS_TEST_TMPDIR/my_tests
	cp -r "$KTSTR_TEST_SOURCE/examples/my_tests" "$copy"
	make -C "$copy" WARNINGS="-Wall -Wextra -Wno-missing-field-initializers -Werror"
	meson setup "$copy/build" "$copy"
	ninja -C "$copy/build"
	run -0 ktstr test --format ktap --jobs 2 "$copy/my_tests"
	contains "failed: 0" "$output"
}
