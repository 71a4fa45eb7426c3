"""Static files under names that carry their content's hash, JavaScript modules included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    # Without it a module imports its neighbors by plain names, which a browser may keep too long.
    support_js_module_import_aggregation = True
