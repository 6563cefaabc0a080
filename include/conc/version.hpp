// The version of these headers, for the preprocessor. CMakeLists.txt refuses to configure when they
// are out of step with the version of the project.
#pragma once

#define CONC_VERSION_MAJOR 0
#define CONC_VERSION_MINOR 1
#define CONC_VERSION_PATCH 0

// One number that grows with every release: 0.1.0 is 100, 1.2.3 is 10203.
#define CONC_VERSION (CONC_VERSION_MAJOR * 10000 + CONC_VERSION_MINOR * 100 + CONC_VERSION_PATCH)
