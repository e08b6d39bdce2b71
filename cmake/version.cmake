# The version stands in project(); the public header must say the same.
file(STRINGS "${PROJECT_SOURCE_DIR}/include/rnnkit/status.h" rnnkit_version_lines
    REGEX "^#define RNNKIT_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX REPLACE "[^0-9]*([0-9]+);[^0-9]*([0-9]+);[^0-9]*([0-9]+)" "\\1.\\2.\\3"
    rnnkit_header_version "${rnnkit_version_lines}")
if(NOT rnnkit_header_version VERSION_EQUAL PROJECT_VERSION)
    message(FATAL_ERROR "include/rnnkit/status.h says version ${rnnkit_header_version}, "
        "project() says ${PROJECT_VERSION}")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/include/rnnkit/status.h")
