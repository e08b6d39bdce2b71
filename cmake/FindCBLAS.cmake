# Finds a BLAS with the C interface (cblas.h) and defines CBLAS::CBLAS.
#
# OpenBLAS, or else another CBLAS that pkg-config knows; without one of them, what FindBLAS finds
# (BLA_VENDOR applies) together with a cblas.h. CBLAS_LIBRARY and CBLAS_INCLUDE_DIR overrule all.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_search_module(PC_CBLAS QUIET openblas cblas blis flexiblas blas-netlib)
endif()
find_library(CBLAS_LIBRARY NAMES ${PC_CBLAS_LIBRARIES} openblas HINTS ${PC_CBLAS_LIBRARY_DIRS}
    NAMES_PER_DIR)
find_path(CBLAS_INCLUDE_DIR cblas.h HINTS ${PC_CBLAS_INCLUDE_DIRS} PATH_SUFFIXES openblas)
if(NOT CBLAS_LIBRARY)
    find_package(BLAS QUIET)
    if(BLAS_FOUND)
        list(GET BLAS_LIBRARIES 0 CBLAS_LIBRARY)
    endif()
endif()
mark_as_advanced(CBLAS_LIBRARY CBLAS_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CBLAS REQUIRED_VARS CBLAS_LIBRARY CBLAS_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "a BLAS with cblas.h is needed (Debian: libopenblas-dev)")
if(CBLAS_FOUND AND NOT TARGET CBLAS::CBLAS)
    add_library(CBLAS::CBLAS UNKNOWN IMPORTED)
    set_target_properties(CBLAS::CBLAS PROPERTIES IMPORTED_LOCATION "${CBLAS_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${CBLAS_INCLUDE_DIR}")
endif()
