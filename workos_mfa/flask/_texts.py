"""Every sentence that a person reads, in one place: ``WORKOS_MFA_TEXTS`` replaces any of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

DEFAULT_TEXTS: Mapping[str, str] = {
    # Titles and labels
    "title_code": "Enter your code",
    "title_confirm": "Please confirm that it is you",
    "title_enroll": "Finish with your first code",
    "title_recovery": "Use a recovery code",
    "title_factors": "Your second factor",
    "title_new_factor": "Add a second factor",
    "title_totp": "Scan this with your authenticator app",
    "title_recovery_codes": "Recovery codes",
    "title_notice": "That did not work",
    "title_unavailable": "Please try again soon",
    "error": "Error",
    "label_code": "Code",
    "label_recovery_code": "Recovery code",
    "label_phone": "Phone number, with + and the country code",
    "button_continue": "Continue",
    "button_send": "Send me a code",
    "button_send_again": "Send me another code",
    "button_cancel": "Cancel",
    "button_totp": "Use an authenticator app",
    "button_sms": "Use text messages",
    "button_add": "Add another factor",
    "button_remove": "Remove",
    "button_replace": "I have lost this: replace it",
    "button_recovery_codes": "Make new recovery codes",
    "button_show_codes": "Show my recovery codes",
    "link_recovery": "I can't get a code: use a recovery code",
    "link_code": "Use a code after all",
    "link_factors": "Back to your second factor",
    "link_totp": "On this device: open the app here",
    "link_done": "Done",
    "factor_totp": "Authenticator app",
    "factor_sms": "Text message to the number that ends in {digits}",
    # What is asked for
    "ask_totp": "Open your authenticator app and enter the six digits that it shows now.",
    "ask_sms_send": "We send a text message with a code to the number that ends in {digits}.",
    "ask_sms_sent": "We have sent a text message with a code to the number that ends in {digits}.",
    "ask_other": "Use another way:",
    "for_add": "With this code you allow that a factor is added.",
    "for_remove": "With this code the factor is removed.",
    "for_recovery_codes": "With this code you get new recovery codes. The old ones stop working.",
    "form_dropped": "What you sent was not carried out. After the code you get back to the form: fill it in again.",
    "ask_recovery": "Each recovery code works once. If you have none, ask our support.",
    "qr_alt": "QR code for the authenticator app. The text below holds the same secret.",
    "scan_by_hand": "If you can't scan it, type this into the app:",
    "scan_then": "Then enter the six digits that the app shows.",
    "which_factor": "How do you want to get your codes?",
    "no_factor_yet": "Your account has only a password. With a second factor, nobody gets in with the password alone.",
    "recovery_codes_wanted": "Recovery codes let you in if you lose your phone. They are shown once: save them.",
    "recovery_codes_shown": "Keep these codes in a safe place. Each works once. You will not see them again.",
    "recovery_codes_left": "You have {left} recovery codes left.",
    "recovery_code_left": "You have one recovery code left.",
    "recovery_codes_none": "You have no recovery codes.",
    "replace_offered": "You have signed in with a recovery code, so you can replace one factor that you have lost.",
    # What has happened
    "done_added": "The new factor protects your account now.",
    "done_removed": "The factor was removed.",
    "done_recovery_code": (
        "That recovery code is used up. If you have lost a factor, you can replace it under “Your second factor”."
    ),
    # Why it does not go on
    "code_malformed": "A code has six digits.",
    "totp_code_wrong": "That code is not right. If you have just used it, wait for the next one.",
    "sms_code_wrong": "That code is not right. Use the code in the newest message.",
    "code_used": "That code was used already. Wait for the next one.",
    "ask_first": "Please ask for a code first.",
    "challenge_expired": "That code has expired. Please use a new one.",
    "challenge_used": "That code was used already. Please use a new one.",
    "challenge_locked": "There were too many wrong codes. Please use a new one.",
    "challenge_mismatch": "That code was for another factor. Please use a new one.",
    "challenge_unknown": "That code is not known any more. Please use a new one.",
    "outcome_unknown": "We could not find out if your code was right, and it may be used up. Please use a new one.",
    "message_unclear": "A message may be on its way, but its code will not work. Ask for a new one in a minute.",
    "messages_used_up": "We can't send text messages at the moment. Please use another way.",
    "rate_limited": "That was too often. Please try again in {wait}.",
    "too_often": "That was too often. Please try again in {wait}.",
    "locked": "There were too many wrong codes. Please wait {wait}, or use a recovery code.",
    "factor_unknown": "This factor does not work any more. Please use another way, or ask our support.",
    "unreachable": "We can't check codes at the moment. Nothing is lost: please try again in a minute.",
    "number_refused": "We can't send messages to this number. Write it with + and the country code.",
    "method_off": "This kind of factor can't be added here.",
    "recovery_code_wrong": "That recovery code is not right. Each works once.",
    "step_over": "That took too long. Please begin again.",
    "stale_form": "That page was not the newest one. Please go on from here.",
    "changed_meanwhile": "Your account was changed in another window. Please begin again.",
    "enrolment_replaced": "You began to add another factor in the meantime. Please begin again.",
    "enroll_first": "Please add a factor first.",
    "no_factor": "This account has no second factor.",
    "code_needed": "For that we need a code first.",
    "password_needed": "For that you have to enter your password again.",
    "signed_out": "You are not signed in any more.",
    "last_factor": "Your account must have a second factor. Add another one before you remove this.",
    "not_allowed": "You can't sign in to this account at the moment.",
    "csrf": "That form was too old, or came from another page. Please try again.",
    "unavailable": "We can't check who you are at the moment. Nothing is lost: please try again in a minute.",
    # Times
    "seconds": "{count} seconds",
    "second": "a second",
    "minutes": "{count} minutes",
    "hours": "{count} hours",
}


class Texts:
    """The sentences, with those that the app has replaced.

    :param replaced: sentences by name.
    :raises ValueError: if there is no sentence of a name.
    """

    def __init__(self, replaced: Mapping[str, str]) -> None:
        if unknown := replaced.keys() - DEFAULT_TEXTS.keys():
            raise ValueError(f"WORKOS_MFA_TEXTS has names that are not used: {', '.join(sorted(unknown))}")
        self._texts = {**DEFAULT_TEXTS, **replaced}

    def __call__(self, name: str, *, wait: int = 0, digits: str = "", left: int = 0) -> str:
        """A sentence.

        :param wait: for sentences with ``{wait}``: seconds, which are written as a time.
        :param digits: for sentences with ``{digits}``: the last digits of a phone number.
        :param left: for sentences with ``{left}``: a number of recovery codes.
        """
        return self._texts[name].format(wait=self._time(wait), digits=digits, left=left)

    def _time(self, seconds: int) -> str:
        if seconds > 5400:
            return self._texts["hours"].format(count=math.ceil(seconds / 3600))
        if seconds > 90:
            return self._texts["minutes"].format(count=math.ceil(seconds / 60))
        return self._texts["second" if seconds <= 1 else "seconds"].format(count=seconds)
