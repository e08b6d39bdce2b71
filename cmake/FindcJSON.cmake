# Finds cJSON and defines cJSON::cJSON.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_cJSON QUIET libcjson)
endif()
find_library(cJSON_LIBRARY cjson HINTS ${PC_cJSON_LIBRARY_DIRS})
find_path(cJSON_INCLUDE_DIR cjson/cJSON.h HINTS ${PC_cJSON_INCLUDE_DIRS})
mark_as_advanced(cJSON_LIBRARY cJSON_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(cJSON REQUIRED_VARS cJSON_LIBRARY cJSON_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "cJSON is needed (Debian: libcjson-dev)")
if(cJSON_FOUND AND NOT TARGET cJSON::cJSON)
    add_library(cJSON::cJSON UNKNOWN IMPORTED)
    set_target_properties(cJSON::cJSON PROPERTIES IMPORTED_LOCATION "${cJSON_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${cJSON_INCLUDE_DIR}")
endif()
