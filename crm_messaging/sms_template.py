"""From an SMS template's file to a flat template."""

from crm_messaging.compiled import FlatSms
from crm_messaging.front_matter import BadHead, read_sms_head
from crm_messaging.template_file import TemplateFile
from crm_messaging.template_mask import Mask, without_block_lines
from crm_messaging.template_problems import Mistake, TemplateUnusable
from crm_store.catalogue.field import Catalogue


def flat_sms(name: str, file: TemplateFile, catalogue: Catalogue, language: str) -> FlatSms:
    """The text message in a file. Raises `TemplateUnusable` with everything that is wrong."""
    try:
        head = read_sms_head(file.text)
    except BadHead as error:
        raise file.unusable(error.mistake) from None
    text = file.text[head.body_offset :]
    fields, tags = file.check(text, head.body_offset, catalogue, language)
    mask = Mask(text, tags)
    if not file.findings and not mask.masked.strip():
        file.note(Mistake(head.body_offset, "the text message is empty", "Write its text."))
    if file.findings:
        raise TemplateUnusable(file.findings)
    source = mask.restore(without_block_lines(mask.masked).strip())
    return FlatSms(name, language, fields, source, head.dlt)
