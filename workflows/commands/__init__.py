"""Commands of the product: `handrail NAME` runs the module NAME, with hyphens for underscores.

A command runs under the app login unless it stands here.
"""

LOGINS = {
    "prepare-cluster": "superuser",
    "migrate": "owner",
    "check-migrations": "owner",
    "create-authority": "owner",
    "suspend-authority": "owner",
    "resume-authority": "owner",
    "cease-authority": "owner",
    "remove-authority": "owner",
    "check-catalogue": "owner",
    "import-register": "owner",
    "delete-expired": "owner",
    "load-demo": "superuser",
}

AFTERWARDS = {"import-register": "follow-register"}
"""A command of another login that is run when the first has ended well."""
