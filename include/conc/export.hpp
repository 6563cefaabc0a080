// What the shared libraries show to their users. Everything is hidden unless it is marked.
//
// CONC_EXPORT marks a class or function that is defined in conc::core, CONC_LOGGING_EXPORT one that
// is defined in conc::logging, CONC_LOGGING_CONFIG_EXPORT one of conc::logging_config: on Windows a
// name is either exported or imported, and logging exports its own while it imports core's.
//
// A class whose members are all inline needs no mark, unless it is thrown, caught or asked for its
// typeid across a library's border: then one typeinfo must serve both sides.
//
// CMake defines CONC_STATIC_DEFINE for the static libraries and for all who link them, and
// conc_core_EXPORTS, conc_logging_EXPORTS or conc_logging_config_EXPORTS while the shared library
// of that name is compiled.
#pragma once

#if defined(CONC_STATIC_DEFINE)
#define CONC_EXPORT
#define CONC_LOGGING_EXPORT
#define CONC_LOGGING_CONFIG_EXPORT
#elif defined(_WIN32)
#if defined(conc_core_EXPORTS)
#define CONC_EXPORT __declspec(dllexport)
#else
#define CONC_EXPORT __declspec(dllimport)
#endif
#if defined(conc_logging_EXPORTS)
#define CONC_LOGGING_EXPORT __declspec(dllexport)
#else
#define CONC_LOGGING_EXPORT __declspec(dllimport)
#endif
#if defined(conc_logging_config_EXPORTS)
#define CONC_LOGGING_CONFIG_EXPORT __declspec(dllexport)
#else
#define CONC_LOGGING_CONFIG_EXPORT __declspec(dllimport)
#endif
#else
#define CONC_EXPORT __attribute__((visibility("default")))
#define CONC_LOGGING_EXPORT __attribute__((visibility("default")))
#define CONC_LOGGING_CONFIG_EXPORT __attribute__((visibility("default")))
#endif
