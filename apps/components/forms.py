from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm


class SetupForm(UserCreationForm):
    """Name, e-mail and password of the first administrator; Django's password validators decide."""

    class Meta(UserCreationForm.Meta):
        model = get_user_model()
        fields = ("username", "email")
