# rnnkit_warnings(target): the warnings that all code of this project is clean of.
function(rnnkit_warnings target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion
        -Wstrict-prototypes -Wmissing-prototypes -Wvla)
    if(RNNKIT_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()
