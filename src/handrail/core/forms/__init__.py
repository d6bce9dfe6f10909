"""Forms in the GOV.UK way: any plain Django form, rendered by the design system's components.

Fields for what Django has no good answer to, wording in place of Django's own, and the rendering of them all. Nothing
here asks what day it is.
"""
