"""Pipelines of random models with a few hundred weights: nothing is downloaded, and seeds make them equal."""

from __future__ import annotations

import numpy as np

WORDS = "a b c one two three this is the text of an answer here where what [ ] { } : , . ? user assistant".split()
TINY = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
    "max_position_embeddings": 64,
}  # fmt: skip


def tokenizer(*, chat=False):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {word: place for place, word in enumerate([*special, *WORDS])}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    names = dict(
        zip(
            ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True
        )
    )
    if chat:
        made = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="[SEP]", **names)
        made.chat_template = (
            "{% for m in messages %}{{ m['role'] }} : {{ m['content'] }} {% endfor %}assistant :"
        )
        made.model_max_length = 64
        return made
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )  # fmt: skip
    return PreTrainedTokenizerFast(tokenizer_object=raw, model_max_length=64, **names)


def bert(head, **more):
    import transformers

    transformers.set_seed(0)
    config = transformers.BertConfig(vocab_size=len(WORDS) + 5, **TINY, **more)
    return getattr(transformers, f"Bert{head}")(config).eval()


def pipeline(task, model, **parts):
    import transformers

    return transformers.pipeline(task, model=model, **parts)


def text_pipeline(task, head, **more):
    return pipeline(task, bert(head, **more), tokenizer=tokenizer())


def generator():
    import transformers

    transformers.set_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS) + 5,
        num_key_value_heads=2,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        **TINY,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    model.generation_config.max_new_tokens = 5
    model.generation_config.max_length = None
    model.generation_config.do_sample = False
    return pipeline("text-generation", model, tokenizer=tokenizer(chat=True))


def seq2seq(task):
    import transformers

    transformers.set_seed(0)
    config = transformers.T5Config(
        vocab_size=len(WORDS) + 5, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2,
        pad_token_id=0, eos_token_id=3, decoder_start_token_id=2,
    )  # fmt: skip
    model = transformers.T5ForConditionalGeneration(config).eval()
    model.generation_config.max_new_tokens = 5
    return pipeline(task, model, tokenizer=tokenizer())


def images():
    import transformers

    transformers.set_seed(0)
    config = transformers.ViTConfig(
        image_size=8, patch_size=4, num_labels=3, **{**TINY, "max_position_embeddings": 64}
    )
    processor = transformers.ViTImageProcessor(size={"height": 8, "width": 8})
    model = transformers.ViTForImageClassification(config).eval()
    return pipeline("image-classification", model, image_processor=processor)


def hearing(head):
    import transformers

    transformers.set_seed(0)
    config = transformers.Wav2Vec2Config(
        vocab_size=len(WORDS) + 5, conv_dim=(8, 8), conv_stride=(5, 4), conv_kernel=(10, 4), num_feat_extract_layers=2,
        num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, num_labels=3, classifier_proj_size=8,
        **TINY,
    )  # fmt: skip
    return getattr(transformers, f"Wav2Vec2{head}")(config).eval()


def sounds():
    import transformers

    extractor = transformers.Wav2Vec2FeatureExtractor()
    return pipeline(
        "audio-classification", hearing("ForSequenceClassification"), feature_extractor=extractor
    )


def speech():
    import transformers

    extractor = transformers.Wav2Vec2FeatureExtractor()
    return pipeline(
        "automatic-speech-recognition",
        hearing("ForCTC"),
        feature_extractor=extractor,
        tokenizer=tokenizer(),
    )


def sentences(folder):
    """Return a model of sentences, whose parts are put into a folder first."""
    from sentence_transformers import SentenceTransformer, models

    bert("Model").save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    words = models.Transformer(str(folder), max_seq_length=32)
    pooling = models.Pooling(words.get_word_embedding_dimension())
    return SentenceTransformer(modules=[words, pooling], device="cpu")


# A picture of 2 × 2 pixels.
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP4z8DA8J+BkYHh////DAAe9gT9Ce00PgAAAABJRU5ErkJggg=="
LABELS = {"id2label": {0: "no", 1: "maybe", 2: "yes"}, "label2id": {"no": 0, "maybe": 1, "yes": 2}}
ENTAILS = {"id2label": {0: "contradiction", 1: "neutral", 2: "entailment"},
           "label2id": {"contradiction": 0, "neutral": 1, "entailment": 2}}  # fmt: skip
WAVE = np.sin(np.arange(1600) / 9).astype("float32")
ONE, SOME = "this is the text", ["this is the text", "one two"]
QUESTION = {"question": "where is the answer ?", "context": "the answer is here ."}
CHOICE = {
    "sequences": ONE,
    "candidate_labels": ["one", "two"],
    "hypothesis_template": "this is {} .",
}

# Name → (what makes it, what it is asked).
PIPELINES = {
    "classifier": (
        lambda: text_pipeline("text-classification", "ForSequenceClassification", **LABELS),
        SOME,
    ),
    "tokens": (
        lambda: text_pipeline("token-classification", "ForTokenClassification", **LABELS),
        SOME,
    ),
    "mask": (lambda: text_pipeline("fill-mask", "ForMaskedLM"), ["this is [MASK]", "[MASK] two"]),
    "features": (lambda: text_pipeline("feature-extraction", "Model"), SOME),
    "question": (
        lambda: text_pipeline("question-answering", "ForQuestionAnswering"),
        [QUESTION, QUESTION],
    ),
    "choice": (
        lambda: text_pipeline("zero-shot-classification", "ForSequenceClassification", **ENTAILS),
        [CHOICE, {**CHOICE, "sequences": "one two"}],
    ),
    "generator": (generator, SOME),
    "summary": (lambda: seq2seq("summarization"), SOME),
    "translation": (lambda: seq2seq("translation_en_to_de"), SOME),
    "text2text": (lambda: seq2seq("text2text-generation"), SOME),
    "images": (images, [PICTURE, PICTURE]),
    "sounds": (sounds, WAVE),
    "speech": (speech, WAVE),
}
