# rnnkit_sanitize(target): compiles and links a target with the sanitizers of RNNKIT_SANITIZE.
function(rnnkit_sanitize target)
    if(RNNKIT_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${RNNKIT_SANITIZE}
            -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
        target_link_options(${target} PUBLIC -fsanitize=${RNNKIT_SANITIZE})
    endif()
endfunction()
