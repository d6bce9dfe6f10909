"""Who works with Handrail at a school or at the authority: inviting them, changing and ending their roles.

A membership, of `accounts`, is an invitation until its person signs in; what is here adds the message that tells them,
and the pages.
"""
