# Parquet without a reader for R: typed columns through a pipe from pyarrow, no file and no text between.

read_parquet <- function(path, columns = NULL) {
  asked <- write_request(list(
    call = "columns", path = normalizePath(path, mustWork = FALSE),
    columns = if (is.null(columns)) NULL else as.list(columns)
  ))
  errors <- tempfile("vitrine-")
  on.exit(unlink(c(asked, errors)))
  command <- paste(
    shQuote(python_command()), paste(bridge_arguments, collapse = " "), "<", shQuote(asked), "2>", shQuote(errors)
  )
  con <- pipe(command, "rb")
  open <- TRUE
  on.exit(if (open) close(con), add = TRUE)
  head <- readLines(con, 1, encoding = "UTF-8", warn = FALSE)
  if (length(head) == 0) {
    close(con)
    open <- FALSE
    stop(said(errors), call. = FALSE)
  }
  about <- jsonlite::fromJSON(head, simplifyVector = FALSE)
  values <- lapply(about$columns, read_column, con = con, rows = about$rows)
  names(values) <- vapply(about$columns, `[[`, character(1), "name")
  tibble::new_tibble(values, nrow = about$rows)
}

read_column <- function(column, con, rows) {
  wide <- column$kind %in% c("double", "date", "time")
  values <- if (wide) {
    readBin(con, "double", rows, size = 8, endian = "little")
  } else {
    readBin(con, "integer", rows, size = 4, endian = "little")
  }
  if (length(values) != rows) refuse("La lecture s'est interrompue.", "Reading was cut short.")
  levels <- as.character(unlist(column$levels))
  switch(column$kind,
    logical = as.logical(values),
    factor = structure(values, levels = levels, class = "factor"),
    character = levels[values],
    date = structure(values, class = "Date"),
    time = .POSIXct(values, tz = "UTC"),
    values
  )
}

read_extract <- function(name = NULL, columns = NULL) {
  table <- extract_table(name)
  data <- read_parquet(table$path, columns)
  attr(data, "vitrine_table") <- table$name
  data
}

extract_table <- function(name) {
  tables <- ask(list(call = "tables"))
  names(tables) <- vapply(tables, `[[`, character(1), "name")
  listed <- paste(names(tables), collapse = ", ")
  if (is.null(name)) {
    if (length(tables) > 1) {
      refuse(
        paste0("L'extrait a plusieurs tables : donnez un nom parmi ", listed, "."),
        paste0("The extract has several tables: give a name, one of ", listed, ".")
      )
    }
    return(tables[[1]])
  }
  if (is.null(tables[[name]])) {
    refuse(
      paste0("L'extrait n'a pas de table \u00ab ", name, " \u00bb ; il a : ", listed, "."),
      paste0("The extract has no table \u201c", name, "\u201d; it has: ", listed, ".")
    )
  }
  tables[[name]]
}
