/* serve.h - the serve command: one running host. */
#pragma once

/* serve [--home DIR] [--listen ADDR:PORT]: runs until SIGTERM or SIGINT; returns the exit code. */
int serve(int argc, char **argv);
