# Tables and regressions with their declarations. The numbers come from the extract itself; `data` says which
# table is meant, and a summary of its columns goes along, so that derived or filtered data are noticed.

operators <- c("==", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "is missing", "is present")

# list("age", ">=", 18), a list of such lists (all of them), or field/operator/values and and/or/not as they are.
as_filter <- function(where) {
  if (is.null(where)) return(NULL)
  if (!is.null(names(where))) {
    if ("field" %in% names(where)) {
      return(list(field = where$field, operator = where$operator, values = as.list(where$values)))
    }
    if (identical(names(where), "not")) return(list(not = as_filter(where$not)))
    return(lapply(where, function(terms) lapply(terms, as_filter)))
  }
  if (is.character(where[[1]]) && length(where) >= 2 && where[[2]] %in% operators) {
    return(list(field = where[[1]], operator = where[[2]], values = if (length(where) > 2) as.list(where[[3]]) else list()))
  }
  if (length(where) == 1) as_filter(where[[1]]) else list(and = lapply(where, as_filter))
}

filter_fields <- function(where) {
  if (is.null(where)) return(character())
  if (!is.null(where$field)) return(where$field)
  if (!is.null(where$not)) return(filter_fields(where$not))
  unlist(lapply(c(where$and, where$or), filter_fields))
}

# Enough of a column to notice that it was changed, in any order of rows.
summarise_column <- function(values) {
  if (inherits(values, "haven_labelled")) values <- unclass(values)
  if (is.factor(values) || is.character(values)) {
    counts <- table(as.character(values))
    return(list(missing = sum(is.na(values)), counts = as.list(stats::setNames(as.integer(counts), names(counts)))))
  }
  numbers <- as.double(values)
  known <- numbers[!is.na(numbers)]
  list(missing = sum(is.na(numbers)), sum = sum(known), squares = sum(known^2))
}

summarise_data <- function(data, columns) {
  columns <- intersect(unique(columns), names(data))
  list(rows = nrow(data), columns = stats::setNames(lapply(columns, function(name) summarise_column(data[[name]])), columns))
}

vitrine_table <- function(data, by = character(), stat = "count", of = NULL, file, measures = NULL, where = NULL,
                          breaks = NULL, labels = NULL, right = FALSE, groups = NULL, quantile = NULL, weight = NULL,
                          within = NULL, column = NULL, spread = FALSE, total = NULL, rounding = NULL,
                          suppress_below = NULL, secondary = TRUE, suppressed = NULL, table = NULL, digits = 6,
                          time = NULL) {
  if (is.null(table)) table <- attr(data, "vitrine_table")
  if (is.null(measures)) {
    measures <- list(list(stat = stat, of = of, quantile = quantile, weight = weight,
                          within = if (is.null(within)) NULL else as.list(within), column = column))
  }
  measures <- lapply(measures, function(one) one[!vapply(one, is.null, logical(1))])
  where <- as_filter(where)
  used <- c(by, unlist(lapply(measures, function(one) c(one$of, one$weight))), filter_fields(where), time)
  make_table(list(
    call = "table", table = table %||% extract_table(NULL)$name, by = as.list(by), measures = measures,
    file = path.expand(file), where = where, breaks = as_lists(breaks), labels = as_lists(labels),
    right = right, groups = as_groups(groups), spread = spread, total = total, rounding = rounding,
    suppress_below = suppress_below, secondary = secondary, suppressed = suppressed, digits = digits,
    time = time, seen = summarise_data(data, used)
  ))
}

`%||%` <- function(left, right) if (is.null(left)) right else left

as_lists <- function(given) {
  if (is.null(given)) NULL else if (is.list(given)) lapply(given, as.list) else as.list(given)
}

# list(South = c(1, 5)), or such lists by variable.
as_groups <- function(given) {
  if (is.null(given)) return(NULL)
  lapply(given, function(one) if (is.list(one) && !is.null(names(one))) lapply(one, as.list) else as.list(one))
}

as_frame <- function(answer) {
  columns <- lapply(seq_along(answer$columns), function(place) {
    vapply(answer$rows, function(row) as.character(row[[place]]), character(1))
  })
  names(columns) <- as.character(unlist(answer$columns))
  tibble::new_tibble(columns, nrow = length(answer$rows))
}

make_table <- function(request) {
  answer <- ask(request)
  if (answer$small > 0) {
    message(if (in_english()) {
      paste0(answer$small, " lines have fewer than 10 units: vitrine_suppress(t), or wider bands.")
    } else {
      paste0(answer$small, " lignes comptent moins de 10 unit\u00e9s : vitrine_suppress(t), ou des classes plus larges.")
    })
  }
  made <- as_frame(answer)
  attr(made, "vitrine_request") <- request
  made
}

remake <- function(made, ...) {
  request <- attr(made, "vitrine_request")
  if (is.null(request)) {
    refuse("Donnez ce que vitrine_table() a rendu.", "Give what vitrine_table() returned.")
  }
  changes <- list(...)
  request[names(changes)] <- changes
  make_table(request)
}

vitrine_suppress <- function(made, below = 10, secondary = TRUE, text = NULL) {
  remake(made, suppress_below = below, secondary = secondary, suppressed = text)
}

vitrine_round <- function(made, base = 5) remake(made, rounding = base)

vitrine_merge <- function(made, variable, breaks = NULL, groups = NULL) {
  request <- attr(made, "vitrine_request")
  named <- function(given, nested) if (is.null(given) || !nested) list() else given
  merged <- named(request$groups, !is.null(request$groups) && is.list(request$groups[[1]]) && !is.null(names(request$groups[[1]])))
  bands <- named(request$breaks, !is.null(names(request$breaks)))
  if (!is.null(groups)) {
    merged[[variable]] <- as_groups(groups)
    bands[[variable]] <- NULL
  } else {
    bands[[variable]] <- as.list(breaks)
    merged[[variable]] <- NULL
  }
  remake(
    made, breaks = if (length(bands)) bands else NULL, labels = NULL, groups = if (length(merged)) merged else NULL
  )
}

vitrine_drop_extremes <- function(made) {
  measures <- attr(made, "vitrine_request")$measures
  remake(made, measures = Filter(function(one) !one$stat %in% c("min", "max"), measures))
}

vitrine_regression <- function(model, file, data = NULL, where = NULL, table = NULL) {
  kind <- model_kind(model)
  outcome <- read_factor(formula(model)[[2]])
  if (outcome$categorical || !outcome$transform %in% c("", "log")) refuse_term(formula(model)[[2]])
  about <- terms(model)
  terms_read <- lapply(attr(about, "term.labels"), read_term)
  weight <- model$call$weights
  if (!is.null(weight) && !(is.name(weight) && kind == "ols")) {
    refuse("Seule une variable de poids, avec lm, se d\u00e9clare.", "Only a weighting variable, with lm, can be declared.")
  }
  if (anyNA(coef(model))) {
    refuse("Des coefficients manquent (colin\u00e9arit\u00e9) : retirez ces termes.", "Coefficients are missing (collinearity): remove these terms.")
  }
  if (is.null(data)) data <- eval(model$call$data, environment(formula(model)))
  where <- as_filter(where)
  used <- c(outcome$variable, unlist(lapply(terms_read, `[[`, "variables")), filter_fields(where))
  if (is.null(table)) table <- attr(data, "vitrine_table")
  answer <- ask(list(
    call = "regression", table = table %||% extract_table(NULL)$name, file = path.expand(file), model = kind,
    outcome = outcome$variable, outcome_transform = if (nzchar(outcome$transform)) outcome$transform else NULL,
    terms = terms_read, intercept = attr(about, "intercept") == 1, where = where,
    weight = if (is.null(weight)) NULL else as.character(weight),
    estimates = as.list(unname(coef(model))), seen = summarise_data(data, used)
  ))
  as_frame(answer)
}

model_kind <- function(model) {
  family <- if (inherits(model, "glm")) paste(model$family$family, model$family$link) else "lm"
  kinds <- c(lm = "ols", "binomial logit" = "logit", "binomial probit" = "probit", "poisson log" = "poisson")
  if (!inherits(model, "lm") || inherits(model, "mlm") || is.na(kinds[family]) || !is.null(model$offset)) {
    refuse(
      "Ce mod\u00e8le ne se d\u00e9clare pas : lm, et glm binomial (logit, probit) ou poisson, seulement.",
      "This model cannot be declared: only lm, and glm binomial (logit, probit) or poisson."
    )
  }
  unname(kinds[family])
}

refuse_term <- function(term) {
  text <- if (is.character(term)) term else paste(deparse(term), collapse = "")
  refuse(
    paste0("\u00ab ", text, " \u00bb ne se d\u00e9clare pas : variables de l'extrait, factor(x), log(x), I(x^2) et leurs produits (trois au plus) seulement."),
    paste0("\u201c", text, "\u201d cannot be declared: only variables of the extract, factor(x), log(x), I(x^2) and their products (at most three).")
  )
}

read_factor <- function(term) {
  if (is.name(term)) return(list(variable = as.character(term), categorical = FALSE, transform = ""))
  if (is.call(term) && length(term) == 2) {
    named <- as.character(term[[1]])
    inner <- term[[2]]
    if (is.name(inner)) {
      if (named %in% c("factor", "as.factor")) return(list(variable = as.character(inner), categorical = TRUE, transform = ""))
      if (named == "log") return(list(variable = as.character(inner), categorical = FALSE, transform = "log"))
    }
    if (named == "I" && is.call(inner) && identical(inner[[1]], as.name("^")) && is.name(inner[[2]]) &&
          is.numeric(inner[[3]]) && inner[[3]] == 2) {
      return(list(variable = as.character(inner[[2]]), categorical = FALSE, transform = "square"))
    }
  }
  refuse_term(term)
}

read_term <- function(label) {
  parts <- list()
  rest <- str2lang(label)
  while (is.call(rest) && identical(rest[[1]], as.name(":"))) {
    parts <- c(list(rest[[3]]), parts)
    rest <- rest[[2]]
  }
  read <- lapply(c(list(rest), parts), read_factor)
  transforms <- Filter(nzchar, vapply(read, `[[`, character(1), "transform"))
  if (length(read) > 3 || (length(transforms) > 0 && length(read) > 1)) refuse_term(label)
  term <- list(
    variables = lapply(read, `[[`, "variable"),
    categorical = lapply(Filter(function(one) one$categorical, read), `[[`, "variable")
  )
  if (length(transforms) > 0) term$transform <- transforms[[1]]
  term
}
