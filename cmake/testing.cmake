# rnnkit_add_program(name [INTERNAL] SOURCES file... [LINK target...])
#
# A program for tests. With INTERNAL it sees src/ and links the static library; without, it has the
# public headers and the shared library alone, as a user has.
function(rnnkit_add_program name)
    cmake_parse_arguments(PARSE_ARGV 1 program "INTERNAL" "" "SOURCES;LINK")
    add_executable(${name} ${program_SOURCES})
    set_target_properties(${name} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS ON)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_link_libraries(${name} PRIVATE ${program_LINK} m)
    if(program_INTERNAL)
        target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src")
        target_link_libraries(${name} PRIVATE rnnkit::rnnkit_static)
    else()
        target_link_libraries(${name} PRIVATE rnnkit::rnnkit)
    endif()
    rnnkit_warnings(${name})
    rnnkit_sanitize(${name})
endfunction()

# rnnkit_add_test(name [INTERNAL] SOURCES file... LABELS label... [LINK target...] [SECONDS n])
#
# A program made with cmocka, and the test that runs it in the folder of its first source.
function(rnnkit_add_test name)
    cmake_parse_arguments(PARSE_ARGV 1 test "INTERNAL" "SECONDS" "SOURCES;LABELS;LINK")
    set(internal)
    if(test_INTERNAL)
        set(internal INTERNAL)
    endif()
    rnnkit_add_program(${name} ${internal} SOURCES ${test_SOURCES}
        LINK ${test_LINK} PkgConfig::CMOCKA)
    list(GET test_SOURCES 0 first)
    get_filename_component(folder "${first}" DIRECTORY)
    add_test(NAME ${name} COMMAND ${name}
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/${folder}")
    rnnkit_set_test(${name} LABELS ${test_LABELS} SECONDS ${test_SECONDS})
endfunction()

# rnnkit_add_check(name LABELS label... COMMAND command... [SECONDS n]): a test that is a script.
function(rnnkit_add_check name)
    cmake_parse_arguments(PARSE_ARGV 1 test "" "SECONDS" "COMMAND;LABELS")
    add_test(NAME ${name} COMMAND ${test_COMMAND})
    rnnkit_set_test(${name} LABELS ${test_LABELS} SECONDS ${test_SECONDS})
endfunction()

# rnnkit_add_fuzz(thing): fuzz/fuzz_<thing>.c on the seeds in fuzz/corpus/<thing>.
function(rnnkit_add_fuzz thing)
    rnnkit_add_program(fuzz_${thing} INTERNAL SOURCES fuzz/fuzz_${thing}.c fuzz/driver.c)
    rnnkit_add_check(fuzz_${thing} LABELS fuzz SECONDS 300 COMMAND fuzz_${thing}
        "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${thing}")
endfunction()

# Tests that need one processor each, and no certain time, run side by side under ctest --parallel.
set(RNNKIT_SMALL_TESTS unit api oom fuzz shim)

function(rnnkit_set_test name)
    cmake_parse_arguments(PARSE_ARGV 1 test "" "SECONDS" "LABELS")
    if(NOT test_SECONDS)
        set(test_SECONDS 120)
    endif()
    if(CMAKE_CROSSCOMPILING) # and so run by an emulator
        math(EXPR test_SECONDS "20 * ${test_SECONDS}")
    endif()
    set(alone ON)
    foreach(label IN LISTS test_LABELS)
        if(label IN_LIST RNNKIT_SMALL_TESTS)
            set(alone OFF)
        endif()
    endforeach()
    set_tests_properties(${name} PROPERTIES LABELS "${test_LABELS}" TIMEOUT ${test_SECONDS}
        RUN_SERIAL ${alone}
        ENVIRONMENT "RNNKIT_PLUGIN_DIR=${PROJECT_BINARY_DIR}/lib/rnnkit")
endfunction()
