"""What intake and rewriting say to people; part of the sentences of `hub.checks.sentences`."""

from __future__ import annotations

from collections.abc import Mapping

from hub.checks.rule_sentences import Sentence

INTAKE_SENTENCES: Mapping[str, Sentence] = {
    "type_data": Sentence(
        "Un fichier {extension} peut contenir les microdonnées : il ne sort pas. Déposez le tableau de "
        "résultats en csv ou en xlsx.",
        "A {extension} file can hold the microdata: it does not leave. Submit the table of results as csv "
        "or xlsx.",
    ),
    "type_model": Sentence(
        "Un objet enregistré ({extension}) peut contenir les données et n’est jamais ouvert. Déposez le "
        "tableau des coefficients et des mesures en csv.",
        "A saved object ({extension}) can hold the data and is never opened. Submit the table of "
        "coefficients and measures as csv.",
    ),
    "type_page": Sentence(
        "Une page ({extension}) contient souvent les données des graphiques. Déposez le graphique en png et "
        "son tableau en csv.",
        "A page ({extension}) often holds the data of its charts. Submit the chart as png and its table as "
        "csv.",
    ),
    "type_archive": Sentence(
        "Cette archive ({extension}) n’est pas ouverte. Déposez les fichiers un à un, ou en zip sans "
        "archive à l’intérieur.",
        "This archive ({extension}) is not opened. Submit the files one by one, or as a zip without "
        "archives inside.",
    ),
    "type_document": Sentence(
        "Un document {extension} garde des tableurs, des révisions et des images cachés. Déposez le texte "
        "en md ou en pdf, et chaque tableau en csv.",
        "A {extension} document keeps hidden workbooks, revisions and pictures. Submit the text as md or "
        "pdf and each table as csv.",
    ),
    "parser_lost": Sentence(
        "Le fichier n’a pas pu être réécrit : il est trop grand, trop complexe ou abîmé. Rien n’en peut "
        "sortir ; déposez-le sous une forme plus simple (csv, png, txt).",
        "The file could not be rewritten: it is too large, too complex or damaged. Nothing of it can leave; "
        "submit it in a simpler form (csv, png, txt).",
    ),
    "unstable": Sentence(
        "Le fichier change à chaque lecture : il n’a pas de forme certaine. Enregistrez-le en {instead}.",
        "The file reads differently each time: it has no certain form. Save it as {instead}.",
    ),
    "grown": Sentence(
        "Réécrit, le fichier dépasserait {limit} octets. Déposez-le en parties plus petites.",
        "Rewritten, the file would exceed {limit} bytes. Submit it in smaller parts.",
    ),
    "blanks_normalised": Sentence(
        "Les espaces et les fins de ligne ont été uniformisés ({count} {count:endroit|endroits}).",
        "Blanks and line ends were made uniform ({count} {count:place|places}).",
    ),
    "trailing_blanks": Sentence(
        "{lines} lignes finissaient par des espaces de longueurs diverses, qui peuvent coder des données ; "
        "ils ont été retirés.",
        "{lines} lines ended in blanks of different lengths, which can encode data; they were removed.",
    ),
    "quoting_normalised": Sentence(
        "Le séparateur, les guillemets ou les lignes vides du tableau ont été uniformisés.",
        "The delimiter, quotes or empty lines of the table were made uniform.",
    ),
    "numbers_normalised": Sentence(
        "Nombres écrits sous une forme fixe (au plus 10 chiffres significatifs) : {cells}.",
        "{cells} {cells:number was|numbers were} written in a fixed form (at most 10 significant digits).",
    ),
    "json_rewritten": Sentence(
        "Le JSON a été réécrit avec une mise en page fixe.",
        "The JSON was written again in a fixed layout.",
    ),
    "json_duplicate": Sentence(
        "{count} {count:clé du JSON était|clés du JSON étaient} en double ; seule la dernière valeur de "
        "chacune est gardée.",
        "{count} {count:key of the JSON was|keys of the JSON were} there twice; only the last value of each "
        "is kept.",
    ),
    "image_rewritten": Sentence(
        "L’image a été réécrite en PNG : ses points seuls sont gardés.",
        "The image was written again as PNG: only its pixels are kept.",
    ),
    "drawing_rasterised": Sentence(
        "Le dessin ({shapes} {shapes:forme|formes}) a été converti en image : ses coordonnées ne sortent "
        "pas.",
        "The drawing ({shapes} {shapes:shape|shapes}) was turned into an image: its coordinates do not "
        "leave.",
    ),
    "drawing_malformed": Sentence(
        "Le dessin SVG n’est pas lisible ({problem}). Enregistrez le graphique en png.",
        "The SVG drawing cannot be read ({problem}). Save the chart as png.",
    ),
    "drawing_part": Sentence(
        "Le dessin contenait {name} ; cela a été retiré et ne sort pas.",
        "The drawing held {name}; this was taken out and does not leave.",
    ),
    "drawing_points": Sentence(
        "Le dessin a {count} {count:marqueur : s’il montre|marqueurs : s’ils montrent chacun} une unité, "
        "déposez un graphique agrégé.",
        "The drawing has {count} {count:marker: if it|markers: if each} shows one unit, submit an "
        "aggregated chart.",
    ),
    "drawing_without_fonts": Sentence(
        "Le dessin a du texte, mais aucune police n’est installée ici : le texte manque dans l’image. "
        "Enregistrez le graphique en png.",
        "The drawing has text, but no font is installed here: the text is missing from the image. Save the "
        "chart as png.",
    ),
    "pdf_rasterised": Sentence(
        "Les pages du PDF ({pages}) ont été converties en images : texte caché, scripts et pièces jointes "
        "ne sortent pas.",
        "The pages of the PDF ({pages}) were turned into images: hidden text, scripts and attachments do "
        "not leave.",
    ),
    "pdf_malformed": Sentence(
        "Le PDF n’est pas lisible (protégé ou abîmé). Enregistrez-le sans mot de passe, ou en png.",
        "The PDF cannot be read (protected or damaged). Save it without a password, or as png.",
    ),
    "pdf_pages": Sentence(
        "Le PDF a {pages} pages (limite {limit}). Déposez seulement les pages utiles.",
        "The PDF has {pages} pages (limit {limit}). Submit only the pages that matter.",
    ),
    "pdf_active": Sentence(
        "Le PDF contenait {name} ({count}) ; cela a été retiré et ne sort pas.",
        "The PDF held {name} ({count}); this was taken out and does not leave.",
    ),
    "workbook_rewritten": Sentence(
        "Le classeur a été converti en csv : valeurs des feuilles visibles ({sheets}) seulement ({formulas} "
        "{formulas:formule remplacée|formules remplacées} par leur valeur).",
        "The workbook was turned into csv: values of the visible sheets ({sheets}) only ({formulas} "
        "{formulas:formula|formulas} replaced by their value).",
    ),
    "page_rewritten": Sentence(
        "La page a été convertie : ses tableaux ({tables}) en csv, le reste de son texte en txt.",
        "The page was converted: its tables ({tables}) to csv, the rest of its text to txt.",
    ),
    "workbook_malformed": Sentence(
        "Le classeur n’est pas lisible ({problem}). Enregistrez chaque tableau en csv.",
        "The workbook cannot be read ({problem}). Save each table as csv.",
    ),
    "workbook_hidden": Sentence(
        "Le classeur contenait {name}, que l’écran ne montre pas ; cela a été retiré et ne sort pas. Déposez "
        "un classeur sans parties cachées.",
        "The workbook held {name}, invisible on screen; this was taken out and does not leave. Submit a "
        "workbook without hidden parts.",
    ),
    "workbook_part": Sentence(
        "Le classeur contenait {name} ; cela a été retiré et ne sort pas. Déposez les graphiques en png.",
        "The workbook held {name}; this was taken out and does not leave. Submit charts as png.",
    ),
    "workbook_no_value": Sentence(
        "{cells} {cells:formule n’a pas de valeur enregistrée et donne une cellule vide|formules n’ont pas "
        "de valeur enregistrée et donnent des cellules vides}. Ouvrez le classeur dans un tableur et "
        "enregistrez-le, ou déposez un csv.",
        "{cells} {cells:formula has no stored value and gives an empty cell|formulas have no stored value "
        "and give empty cells}. Open the workbook in a spreadsheet and save it, or submit a csv.",
    ),
    "archive_unpacked": Sentence(
        "L’archive a été ouverte : ses fichiers ({files}) sont vérifiés et sortent un à un.",
        "The archive was opened: its files ({files}) are checked and leave one by one.",
    ),
    "archive_malformed": Sentence(
        "L’archive n’est pas lisible ({problem}). Déposez les fichiers un à un.",
        "The archive cannot be read ({problem}). Submit the files one by one.",
    ),
    "archive_limit": Sentence(
        "L’archive dépasse une limite ({problem}). Déposez moins de fichiers, ou déposez-les un à un.",
        "The archive passes a limit ({problem}). Submit fewer files, or submit them one by one.",
    ),
    "archive_member": Sentence(
        "Un fichier de l’archive (« {name} ») ne peut pas sortir ; toute l’archive est refusée.",
        "A file of the archive (“{name}”) cannot leave; the whole archive is refused.",
    ),
}
