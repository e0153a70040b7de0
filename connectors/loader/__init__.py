"""The kind `loader`: whatever a LangChain document loader or a LlamaIndex reader loads.

    kb source add wiki loader loader=langchain_community.document_loaders:ConfluenceLoader \\
        arguments='{"url": "https://example.org/wiki", "token": "${WIKI_TOKEN}", "space_key": "DOC"}'
    kb source add notes loader loader=llama_index.core:SimpleDirectoryReader \\
        arguments='{"input_dir": "/srv/notes", "recursive": true}' ignore=last_modified_date,creation_date
    kb source add crm loader loader=crm_loader:Accounts directory=./loaders id=account,region

The package that holds the loader must be installed beside this one; neither community is required. Anything is a
loader that has `lazy_load` or `load` (LangChain), or `lazy_load_data` or `load_data` (LlamaIndex).

| option | default | what it is |
|---|---|---|
| `loader` | | dotted name of a class, or of a function that makes a loader: `package.module:Name` |
| `arguments` | none | what it is called with: a JSON object; `${NAME}` in its texts is an environment variable |
| `load_arguments` | none | likewise for its method; a LlamaIndex reader often takes here what it is to read |
| `directory` | a directory of ours | where it runs, and where modules are found, too; other paths must be absolute |
| `id` | see below | the metadata keys that name a document; several are joined by `#`; `@id` is its own id |
| `ignore` | none | metadata keys that are left out, with all beneath them |
| `media_type` | by the name | of all documents; else text, and Markdown for what was a PDF, HTML, Office file |
| `include`, `exclude` | all | gitignore patterns, matched with the documents' names |
| `timeout_s` | 1800 | how long all may take |
| `memory_mb` | 4096 | how much memory it may use |

A document is named by the first of `source`, `id`, `doc_id`, `url`, `file_path`, `page_id` that its metadata has, else
by its own id. An own id that is a random UUID, as LlamaIndex gives to whatever has none, names nothing: the source is
unavailable until `id` says what to go by, as it should where names are signed URLs that differ at every load, too. The
users and passwords of URLs are left out of names and metadata.

Documents of one name (a PDF's pages, a table's rows) are one document here: joined by empty lines, in the order of
their `page`, `page_number` or `page_label` where each has one, else as loaded; it keeps the metadata that all share.

A change is another text or other metadata: what differs at every load (a time of retrieval, a score) belongs into
`ignore`. A deletion is what a load no longer gives. A load that ends well and gives nothing is an empty source; the
delete guard asks before that empties the index. Nothing can be known of what a loader passes over by itself: leave
its `silent_errors`, `continue_on_failure` and their like off.

All is loaded anew at each poll, in a process of its own, without standard input, output and error, and without what it
leaves running afterwards; what was loaded is kept on the disk until the sync has read it, and no longer. Unavailable is
what cannot be imported, raises, crashes, ends itself, takes too long or too much memory; the error tells the loader's
own words, with the values of its arguments replaced by their names.
"""

from connectors.loader.connector import LoaderConnector
from connectors.loader.options import LoaderOptions

__all__ = ["LoaderConnector", "LoaderOptions"]
