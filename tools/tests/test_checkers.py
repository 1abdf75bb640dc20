"""Each checker finds a planted violation, and says nothing about the same tree without it.

A checker that never fails is not a checker; these tests are its proof of life.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent

CLEAN_HEADER = """#pragma once

#include <cstdint>

namespace pilotfish {

struct Port {
  std::uint16_t number = 0;
};

}  // namespace pilotfish
"""
CLEAN_SOURCE = """#include "core/port.hpp"

namespace pilotfish {

bool is_set(const Port& port) {
  return port.number != 0;
}

}  // namespace pilotfish
"""
CLEAN_TEST = """#include "core/port.hpp"

int main() {
  return pilotfish::Port{}.number;
}
"""


class Plot:
    """A small tree that passes every check, to plant something in."""

    def __init__(self, root: Path):
        self.root = root
        shutil.copy(TOOLS.parent / ".clang-format", root)
        shutil.copy(TOOLS.parent / ".clang-tidy", root)
        self.write("tools/layers", (TOOLS / "layers").read_text())
        self.write("core/port.hpp", CLEAN_HEADER)
        self.write("core/port.cpp", CLEAN_SOURCE)
        self.write("tests/unit/core/port_test.cpp", CLEAN_TEST)
        self.own("core/port.cpp", "tests/unit/core/port_test.cpp")

    def write(self, name: str, text: str):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def own(self, *names: str):
        """Makes these files, and no others, part of the build."""
        build = self.root / "build"
        build.mkdir(exist_ok=True)
        commands = [{"directory": str(build), "file": str(self.root / name),
                     "command": f"g++ -I{self.root} -std=c++20 -c {self.root / name}"}
                    for name in names]
        (build / "compile_commands.json").write_text(json.dumps(commands))

    def check(self, name: str):
        command = [sys.executable, str(TOOLS / f"check_{name}.py"), "--root", str(self.root)]
        if name in ("tidy", "headers", "tests_registered"):
            command += ["--build", str(self.root / "build")]
        if name in ("tidy", "headers"):
            command += ["--cache", str(self.root / "cache"), "--jobs", "1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def must_pass(self, name: str):
        status, output = self.check(name)
        assert status == 0, output

    def must_fail(self, name: str, *said: str):
        status, output = self.check(name)
        assert status == 1, output
        for words in said:
            assert words in output


@pytest.fixture
def plot(tmp_path):
    return Plot(tmp_path)


@pytest.mark.parametrize(
    "checker", ["format", "sizes", "layers", "tests_registered", "headers", "tidy"])
def test_clean_tree_passes(plot, checker):
    plot.must_pass(checker)


def test_layers_name_an_include_that_goes_up(plot):
    plot.write("balancer/pick.hpp", "#pragma once\n")
    plot.write("core/port.hpp", '#include "balancer/pick.hpp"\n')
    plot.must_fail("layers", "core/port.hpp:1: core/ may not include balancer/pick.hpp")


def test_layers_keep_balancer_and_resolver_apart(plot):
    plot.write("resolver/answer.hpp", "#pragma once\n")
    plot.write("balancer/pick.hpp", '#pragma once\n#include "resolver/answer.hpp"\n')
    plot.must_fail("layers", "balancer/pick.hpp:2: balancer/ may not include resolver/answer.hpp")


def test_layers_let_only_one_file_meet_both(plot):
    both = '#include "balancer/cluster.hpp"\n#include "resolver/service_resolver.hpp"\n'
    plot.write("balancer/cluster.hpp", "#pragma once\n")
    plot.write("resolver/service_resolver.hpp", "#pragma once\n")
    plot.write("proxy/upstream.hpp", both)
    plot.must_pass("layers")
    plot.write("proxy/session.hpp", both)
    plot.must_fail("layers", "proxy/session.hpp: only proxy/upstream.*")


def test_layers_let_config_see_options_only(plot):
    plot.write("proxy/options.hpp", "#pragma once\n")
    plot.write("proxy/pool.hpp", "#pragma once\n")
    plot.write("config/load.hpp", '#include "proxy/options.hpp"\n')
    plot.must_pass("layers")
    plot.write("config/load.hpp", '#include "proxy/options.hpp"\n#include "proxy/pool.hpp"\n')
    plot.must_fail("layers", "config/load.hpp:2: config/ may not include proxy/pool.hpp")


def test_layers_let_nothing_include_tests(plot):
    plot.write("tests/support/fake.hpp", "#pragma once\n")
    plot.write("app/main.hpp", '#include "tests/support/fake.hpp"\n')
    plot.must_fail("layers", "app/main.hpp:1: app/ may not include tests/support/fake.hpp")


@pytest.mark.parametrize("header", ["ares.h", "yaml-cpp/yaml.h", "prometheus/registry.h"])
def test_layers_keep_a_library_in_its_folder(plot, header):
    plot.write("proxy/session.hpp", f"#include <{header}>\n")
    plot.must_fail("layers", "proxy/session.hpp:1: only", f"may include <{header}>")


@pytest.mark.parametrize("header", ["boost/asio/io_context.hpp", "thread", "mutex", "fstream"])
def test_layers_keep_pure_files_from_what_performs(plot, header):
    plot.write("core/port.cpp", f"#include <{header}>\n")
    plot.must_fail("layers", f"core/port.cpp:1: pure code may not include <{header}>")


def test_layers_keep_pure_files_from_clock_and_chance_but_not_their_comments(plot):
    plot.write("core/port.hpp", "// never calls Clock::now() or std::random_device\n")
    plot.must_pass("layers")
    plot.write("core/port.hpp", "auto a = Clock::now();\nstd::random_device seed;\n")
    plot.must_fail("layers", "core/port.hpp:1: pure code may not say ::now(",
                   "core/port.hpp:2: pure code may not say std::random_device")


def test_layers_keep_pure_files_from_what_their_includes_bring(plot):
    plot.write("net/asio.hpp", "#pragma once\n#include <boost/asio/io_context.hpp>\n")
    plot.write("resolver/lookup.hpp", '#pragma once\n#include "net/asio.hpp"\n')
    plot.write("resolver/trim.hpp", '#pragma once\n#include "resolver/lookup.hpp"\n')
    plot.must_fail("layers", "resolver/trim.hpp: pure code reaches <boost/asio/io_context.hpp> "
                   "through net/asio.hpp")


def test_layers_refuse_an_include_that_is_not_written_from_the_root(plot):
    plot.write("core/port.cpp", '#include "port.hpp"\n')
    plot.must_fail("layers", 'core/port.cpp:1: "port.hpp" is not a file below the root')


def test_registered_names_a_test_file_that_no_target_owns(plot):
    plot.write("tests/unit/core/lost_test.cpp", CLEAN_TEST)
    plot.must_fail("tests_registered", "tests/unit/core/lost_test.cpp: no target")


def test_registered_names_a_python_test_that_is_not_collected(plot):
    plot.write("tests/e2e/test_fine.py", "def test_fine():\n    pass\n")
    plot.must_pass("tests_registered")
    plot.write("tests/e2e/checks_lost.py", "def test_lost():\n    pass\n")
    plot.must_fail("tests_registered", "tests/e2e/checks_lost.py: has tests")


def test_registered_names_a_python_test_file_without_tests(plot):
    plot.write("tests/e2e/test_empty.py", "def helper():\n    pass\n")
    plot.must_fail("tests_registered", "tests/e2e/test_empty.py: pytest collects no test from it")


def test_format_names_an_unformatted_file(plot):
    plot.write("core/port.cpp", CLEAN_SOURCE.replace("const Port& port", "const Port &port"))
    plot.must_fail("format", "core/port.cpp: not formatted (line 5)")


def test_sizes_name_a_file_that_grew_too_long(plot):
    plot.write("core/port.cpp", "\n" * 400)
    plot.must_pass("sizes")
    plot.write("core/port.cpp", "\n" * 401)
    plot.must_fail("sizes", "core/port.cpp: 401 lines")


def test_headers_name_one_that_does_not_compile_alone(plot):
    plot.write("core/name.hpp", "#pragma once\n\ninline std::string name;\n")
    plot.must_fail("headers", "core/name.hpp does not compile alone")


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ("bool IsSet(const Port& port)", "'IsSet'"),
        ("bool is_set(const Port& ThePort)", "'ThePort'"),
        ("struct bad_type {};\nbool is_set(const Port& port)", "'bad_type'"),
        ("enum class Side { left };\nbool is_set(const Port& port)", "'left'"),
        ("class A {\n  int member = 0;\n};\nbool is_set(const Port& port)", "'member'"),
        ("constexpr int limit = 3;\nbool is_set(const Port& port)", "'limit'"),
    ])
def test_tidy_names_what_is_not_named_in_the_house_style(plot, bad, named):
    plot.write("core/port.cpp", CLEAN_SOURCE.replace("bool is_set(const Port& port)", bad))
    plot.must_fail("tidy", "core/port.cpp:", named, "readability-identifier-naming")


def test_tidy_finds_a_use_after_move(plot):
    plot.write("core/port.cpp", """#include <string>
#include <utility>

std::string twice(std::string text) {
  std::string taken = std::move(text);
  return taken + text;
}
""")
    plot.must_fail("tidy", "core/port.cpp:6", "bugprone-use-after-move")


def test_tidy_remembers_what_passed_until_a_header_changes(plot):
    plot.must_pass("tidy")
    _, output = plot.check("tidy")
    assert "2 of 2 unchanged" in output
    plot.write("core/port.hpp", CLEAN_HEADER + "\nstruct bad_type {};\n")
    plot.must_fail("tidy", "core/port.hpp:", "'bad_type'")


def test_tidy_reads_apart_what_does_not_compile_together(plot):
    # Two helpers of one name: fine as two units, an error in one file that includes both.
    source = CLEAN_SOURCE.replace("bool is_set", "static int helper() {\n  return 1;\n}\n\n"
                                  "bool {}").replace("return port", "return helper() == 1 && port")
    names = [f"core/port{i}.cpp" for i in range(4)]
    for name in names:
        plot.write(name, source.replace("{}(", f"is_set_in_{name[5:10]}("))
    plot.own(*names)
    plot.must_pass("tidy")
    plot.write("core/port2.cpp", source.replace("{}(", "IsSet("))
    plot.must_fail("tidy", "3 of 4 unchanged", "core/port2.cpp:9", "'IsSet'", "1 finding(s)")


def test_tidy_does_not_remember_what_failed(plot):
    plot.write("core/port.cpp", CLEAN_SOURCE.replace("is_set", "IsSet"))
    plot.must_fail("tidy", "'IsSet'")
    plot.must_fail("tidy", "'IsSet'")


def test_headers_are_checked_again_when_one_they_include_changes(plot):
    plot.write("core/host.hpp", '#pragma once\n\n#include "core/port.hpp"\n\n'
               "inline pilotfish::Port port_of_host;\n")
    plot.must_pass("headers")
    plot.write("core/port.hpp", CLEAN_HEADER.replace("Port", "Gate"))
    plot.must_fail("headers", "core/host.hpp does not compile alone")
