#include <iostream>

#include "app/cli.hpp"

int main(int argc, char** argv) {
  return pilotfish::app::run_command_line({argv + (argc > 0 ? 1 : 0), argv + argc}, std::cout,
                                          std::cerr);
}
