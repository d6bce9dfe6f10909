"""What people say about a school. Shape only: nothing here saves."""

from django import forms


class ContactsForm(forms.Form):
    office_email = forms.EmailField(
        label="School office’s e-mail address", required=False, help_text="An address that several people read."
    )
    lead_name = forms.CharField(
        label="Lead’s name",
        max_length=150,
        required=False,
        help_text="Leads on medical conditions at the school, and gets the reminders.",
    )
    lead_email = forms.EmailField(label="Lead’s e-mail address", required=False)
    head_name = forms.CharField(
        label="Headteacher’s name",
        max_length=150,
        required=False,
        help_text="Gets a copy when something has been overdue for a while.",
    )
    head_email = forms.EmailField(label="Headteacher’s e-mail address", required=False)
