# The desk's Python does the reading and the declaring; this file is the way to it.

python_command <- function() Sys.getenv("VITRINE_PYTHON", "/opt/desk/bin/python")

# -P: nothing in the current folder can take the place of the package.
bridge_arguments <- c("-P", "-m", "vitrine.bridge")

in_english <- function() startsWith(tolower(Sys.getenv("VITRINE_LOCALE", "fr")), "en")

refuse <- function(fr, en) stop(if (in_english()) en else fr, call. = FALSE)

write_request <- function(request) {
  request <- request[!vapply(request, is.null, logical(1))]
  path <- tempfile("vitrine-", fileext = ".json")
  con <- file(path, "wb")
  on.exit(close(con))
  writeLines(
    enc2utf8(as.character(jsonlite::toJSON(request, auto_unbox = TRUE, digits = NA, null = "null"))),
    con, useBytes = TRUE
  )
  path
}

said <- function(path) {
  text <- paste(readLines(path, encoding = "UTF-8", warn = FALSE), collapse = "\n")
  if (nzchar(text)) text else "vitrine"
}

# The answer to one call, or an error with the sentence of the refusal.
ask <- function(request) {
  asked <- write_request(request)
  answered <- tempfile("vitrine-")
  errors <- tempfile("vitrine-")
  on.exit(unlink(c(asked, answered, errors)))
  status <- system2(python_command(), bridge_arguments, stdin = asked, stdout = answered, stderr = errors)
  if (status != 0) stop(said(errors), call. = FALSE)
  jsonlite::fromJSON(
    paste(readLines(answered, encoding = "UTF-8", warn = FALSE), collapse = "\n"), simplifyVector = FALSE
  )
}
