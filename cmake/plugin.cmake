# rnnkit_plugin(target): finishes a MODULE library as a plug-in librnnkit-<device>.so: where it is
# built and installed (the folder rnnkit/ beside the library, where the library looks for it), and
# that it stands alone. Only its entry point is visible.
function(rnnkit_plugin target)
    set_target_properties(${target} PROPERTIES PREFIX lib
        LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/rnnkit")
    rnnkit_sanitize(${target})
    if(NOT RNNKIT_SANITIZE)
        target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
    if(RNNKIT_INSTALL)
        install(TARGETS ${target} DESTINATION "${CMAKE_INSTALL_LIBDIR}/rnnkit")
    endif()
endfunction()
