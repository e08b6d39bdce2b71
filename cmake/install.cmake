# cmake --install: headers, libraries, rnnkit.pc and the CMake package. The prefix may be moved
# afterwards: nothing in it names its own place.
include(CMakePackageConfigHelpers)
set(rnnkit_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/rnnkit")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/rnnkit" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h")
install(TARGETS rnnkit EXPORT rnnkit_shared DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(TARGETS rnnkit_static EXPORT rnnkit_static DESTINATION "${CMAKE_INSTALL_LIBDIR}")
foreach(kind shared static)
    install(EXPORT rnnkit_${kind} NAMESPACE rnnkit:: FILE rnnkit-${kind}.cmake
        DESTINATION "${rnnkit_package_dir}")
endforeach()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/rnnkit-config.cmake.in"
    "${PROJECT_BINARY_DIR}/rnnkit-config.cmake" INSTALL_DESTINATION "${rnnkit_package_dir}"
    NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/rnnkit-config-version.cmake"
    COMPATIBILITY SameMajorVersion)
install(FILES "${PROJECT_BINARY_DIR}/rnnkit-config.cmake"
    "${PROJECT_BINARY_DIR}/rnnkit-config-version.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/FindCBLAS.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindcJSON.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/Findutf8proc.cmake"
    DESTINATION "${rnnkit_package_dir}")

# rnnkit.pc: what a static link needs besides, by the names that the linker knows.
set(rnnkit_private_files)
foreach(target CBLAS::CBLAS cJSON::cJSON utf8proc::utf8proc)
    get_target_property(rnnkit_location ${target} IMPORTED_LOCATION)
    list(APPEND rnnkit_private_files "${rnnkit_location}")
endforeach()
set(rnnkit_private_libraries)
foreach(file IN LISTS rnnkit_private_files rnnkit_openmp CMAKE_DL_LIBS)
    get_filename_component(rnnkit_folder "${file}" DIRECTORY)
    if(rnnkit_folder AND NOT rnnkit_folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
        list(APPEND rnnkit_private_libraries "-L${rnnkit_folder}")
    endif()
    get_filename_component(rnnkit_name "${file}" NAME)
    string(REGEX REPLACE "^lib(.+)\\.(so|a)[.0-9]*$" "\\1" rnnkit_name "${rnnkit_name}")
    list(APPEND rnnkit_private_libraries "-l${rnnkit_name}")
endforeach()
list(APPEND rnnkit_private_libraries ${CMAKE_THREAD_LIBS_INIT} -lm)
list(JOIN rnnkit_private_libraries " " RNNKIT_PC_PRIVATE)
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(RNNKIT_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
    set(RNNKIT_PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
    set(RNNKIT_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
    file(RELATIVE_PATH rnnkit_up "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
    string(REGEX REPLACE "/$" "" rnnkit_up "${rnnkit_up}")
    set(RNNKIT_PC_PREFIX "\${pcfiledir}/${rnnkit_up}")
    set(RNNKIT_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(RNNKIT_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file("${PROJECT_SOURCE_DIR}/lib/rnnkit.pc.in" "${PROJECT_BINARY_DIR}/rnnkit.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/rnnkit.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
