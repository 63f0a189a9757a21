/* completion.c: `whelk completion bash`. The script asks the command itself, so it
 * is never behind: verbs and options from the help, names from `whelk ps`. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const char script[] =
    "# whelk: completion for bash.  . <(whelk completion bash)\n"
    "_whelk() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        words=$(whelk --help | sed -n 's/^  \\([a-z][a-z]*\\) .*/\\1/p')\n"
    "    elif [[ $word == -* ]]; then\n"
    "        words=$(whelk \"$verb\" --help | grep -o -e ' -[a-z],' -e '--[a-z][a-z-]*' | tr -d ' ,')\n"
    "    else\n"
    "        case $verb in\n"
    "        logs|rm) words=$(whelk ps -a -q) ;;\n"
    "        stop|trace|stream|call|gdb|perf) words=$(whelk ps -q) ;;\n"
    "        ext) words=\"load ls stat resume unload $(whelk ps -q)\" ;;\n"
    "        esac\n"
    "    fi\n"
    "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
    "}\n"
    "complete -o default -F _whelk whelk\n";

int completion_main(int argc, char **argv) {
    const struct command c = {"whelk completion bash",
                              "Writes a script that completes verbs, options and names:  . <(whelk completion bash)\n"
                              "zsh takes it too, after `autoload bashcompinit; bashcompinit`.\n", NULL, 0};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (argc - at != 1 || strcmp(argv[at], "bash")) return usage("usage: %s", c.usage);
    return fputs(script, stdout) < 0 ? EXIT_FAILED : EXIT_OK;
}
