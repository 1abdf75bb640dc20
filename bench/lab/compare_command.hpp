#pragma once

#include <string>

namespace pilotfish::bench {

/// `bench compare A B`: each a result.json or the folder that has one. Prints what changed; 0
/// whatever that is. Throws Unavailable, with what is wrong, where one cannot be read.
int run_compare(const std::string& before, const std::string& after);

}  // namespace pilotfish::bench
