/** The text of `sluice help`. */

export const usage = `Usage: sluice [action] [options]

  help      print this text
  version   print the version
  init      make the home folder: conf/config.yaml, logs, data; check the configuration
  start     start in the background [-c FILE] [--foreground]
  stop      stop at once
  quit      stop when the open requests and connections have ended
  restart   test, stop, start
  reload    read the configuration again; the old one goes on if the new one is faulty
  status    what is running [--json]
  test      check the configuration and start nothing

Options:
  --home DIR      holds conf, logs and data (default: $SLUICE_HOME, or where Sluice is)
  -c FILE         the configuration file instead of conf/config.yaml
  --foreground    stay in the terminal; SIGTERM, SIGINT stop, SIGQUIT quits, SIGHUP reloads, SIGUSR1 reopens logs
  --json          for programs`
